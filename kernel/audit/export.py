"""Hand out the audit trail as lines that can be verified alone, or as a table for people.

JSON lines: a head; each seal that has wanted rows, with its digests, before them; the seals
between, without; each signed checkpoint behind the seal it names; rows that wait for a seal; an
end. What lies between two wanted seals is there because each seal names the one before.
"""

import base64
import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

from django.db.models import F, Func, Max, Q, QuerySet, TextField, Value

from kernel.audit.chain import ROW_FIELDS, SEAL_FIELDS, canonical, row_sha256
from kernel.audit.models import AuditCheckpoint, AuditRecord, AuditSeal
from kernel.audit.queries import Wanted, matching
from kernel.audit.seal import last_seal
from kernel.connections import give_back

FORM: Final = 1
COLUMNS: Final = (*ROW_FIELDS, "seal", "sha256")
_PAGE: Final = 500
_ROWS_SHA256: Final = Func(
    Func(F("rows"), function="sha256"), Value("hex"), function="encode", output_field=TextField()
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")

Row = dict[str, Any]


def as_lines(wanted: Wanted, *, head: Mapping[str, object]) -> Iterator[bytes]:
    """The wanted rows in the order of the chain, as JSON lines; `head` says what was asked for.

    What is sealed while this runs is not in it. The database's connection is given back between
    pages: whoever reads slowly holds nothing up.
    """
    newest = last_seal()
    signed = _signed_seals()
    yield _line("export", {"form": FORM, "whole": wanted == Wanted(), **head})
    place = rows = 0
    for seal, row in _sealed_rows(wanted, newest):
        if seal != place:
            yield from _links(place + 1, seal - 1, signed) if place else ()
            yield from _seal(seal, signed)
            place = seal
        rows += 1
        yield _line("record", row)
    if place and (signs := [seal for seal in signed if seal >= place]):
        yield from _links(place + 1, min(signs), signed)
    unsealed = 0
    for unsealed, row in enumerate(_unsealed_rows(wanted, newest), start=1):  # noqa: B007 - used
        yield _line("unsealed", row)
    yield _line("end", {"records": rows, "unsealed": unsealed})


def as_table(wanted: Wanted) -> Iterator[bytes]:
    """The same rows as CSV (RFC 4180) with the numbers of their seals; for people, not for proofs.

    Text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    newest = last_seal()
    yield _csv(COLUMNS)
    for seal, row in _sealed_rows(wanted, newest):
        yield _csv(_cells(row, seal))
    for row in _unsealed_rows(wanted, newest):
        yield _csv(_cells(row, None))


@dataclass(frozen=True, slots=True)
class _Era:
    """Rows with ids above the floor up to the ceiling, as far as transactions below are sealed."""

    floor_id: int
    ceiling_id: int | None
    below_transaction: int

    def rows(self, wanted: Wanted) -> QuerySet[AuditRecord]:
        found = matching(wanted).filter(
            id__gt=self.floor_id, transaction_id__lt=self.below_transaction
        )
        return found if self.ceiling_id is None else found.filter(id__lte=self.ceiling_id)


def _sealed_rows(wanted: Wanted, newest: AuditSeal | None) -> Iterator[tuple[int, Row]]:
    """The number of the seal and the row, for each wanted row that is sealed; in the chain's order.

    Raises:
        LookupError: a row lies where no seal covers it: the trail was tampered with.
    """
    if newest is None:
        return
    seals = AuditSeal.objects.filter(number__lte=newest.number)
    ends = (
        seals.values_list("floor_id").annotate(below=Max("below_transaction")).order_by("floor_id")
    )
    eras = list(ends)
    ceilings = [floor for floor, _below in eras[1:]]
    for (floor, end), ceiling in zip_longest(eras, ceilings):
        number = below = -1
        for row in _pages(_Era(floor, ceiling, end).rows(wanted)):
            if row["transaction_id"] >= below:
                number, below = _seal_of(row, seals.filter(floor_id=floor))
            yield number, row


def _seal_of(row: Row, seals: QuerySet[AuditSeal]) -> tuple[int, int]:
    found = seals.filter(
        from_transaction__lte=row["transaction_id"], below_transaction__gt=row["transaction_id"]
    )
    one = found.order_by("number").values_list("number", "below_transaction").first()
    if one is None:
        raise LookupError(f"no seal covers the row {row['id']}: run `manage.py audit verify`")
    return one


def _unsealed_rows(wanted: Wanted, newest: AuditSeal | None) -> Iterator[Row]:
    found = matching(wanted)
    if newest is not None:
        found = found.filter(id__gt=newest.floor_id, transaction_id__gte=newest.below_transaction)
    return _pages(found)


def _pages(found: QuerySet[AuditRecord]) -> Iterator[Row]:
    """All of them by (transaction, id), a page at a time."""
    ordered = found.order_by("transaction_id", "id").values(*ROW_FIELDS)
    page = list(ordered[:_PAGE])
    while page:
        give_back()
        yield from page
        behind = page[-1]
        later = Q(transaction_id__gt=behind["transaction_id"]) | Q(id__gt=behind["id"])
        rest = ordered.filter(later, transaction_id__gte=behind["transaction_id"])
        page = list(rest[:_PAGE]) if len(page) == _PAGE else []


def _signed_seals() -> dict[int, list[int]]:
    """The numbers of the checkpoints by the seals that they name; one a day."""
    found: dict[int, list[int]] = {}
    for number, seal in AuditCheckpoint.objects.order_by("number").values_list("number", "seal"):
        found.setdefault(seal, []).append(number)
    return found


def _seal(number: int, signed: Mapping[int, list[int]]) -> Iterator[bytes]:
    """A seal with the digests of its rows."""
    seal = AuditSeal.objects.get(number=number)
    digests = base64.b64encode(seal.rows).decode()
    fields = {name: getattr(seal, name) for name in SEAL_FIELDS}
    yield _line("seal", {**fields, "sha256": seal.sha256, "rows": digests})
    yield from _checkpoints(number, signed)


def _links(first: int, last: int, signed: Mapping[int, list[int]]) -> Iterator[bytes]:
    """The seals from one number to another, with the digest of their rows' digests only."""
    for start in range(first, last + 1, _PAGE):
        found = AuditSeal.objects.filter(number__range=(start, min(start + _PAGE - 1, last)))
        page = found.annotate(rows_sha256=_ROWS_SHA256).order_by("number")
        for one in list(page.values(*SEAL_FIELDS, "sha256", "rows_sha256")):
            yield _line("seal", one)
            yield from _checkpoints(one["number"], signed)


def _checkpoints(seal: int, signed: Mapping[int, list[int]]) -> Iterator[bytes]:
    for number in signed.get(seal, []):
        bundle = AuditCheckpoint.objects.values_list("bundle", flat=True).get(number=number)
        yield _line("checkpoint", json.loads(bytes(bundle)))
    give_back()


def _line(kind: str, document: Mapping[str, object]) -> bytes:
    return canonical({kind: document}) + b"\n"


def _cells(row: Row, seal: int | None) -> list[object]:
    facts = json.dumps(row["facts"], sort_keys=True, ensure_ascii=False)
    at = row["at"].isoformat(timespec="microseconds")
    told = {**row, "at": at, "facts": facts, "seal": seal, "sha256": row_sha256(row).hex()}
    return [told[name] for name in COLUMNS]


def _csv(cells: "list[object] | tuple[str, ...]") -> bytes:
    line = io.StringIO()
    csv.writer(line).writerow(
        f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
        for cell in cells
    )
    return line.getvalue().encode()
