"""Verify the audit trail against its seals: recompute all, and name the first thing that is wrong.

What this proves, and what it cannot, is in docs/audit.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from django.db import connection

from kernel.audit.chain import ROW_FIELDS, canonical, read_entries, seal_sha256
from kernel.audit.models import AuditRecord, AuditSeal
from kernel.audit.seal import Window, seal_fields


@dataclass(frozen=True, slots=True)
class Broken:
    """The first thing that is not as it was sealed; `row` is the id of an audit record."""

    what: str
    seal: int
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """How far the chain reaches; `broken` is None when all is as it was sealed.

    `knows` says whether the digest that was kept elsewhere is one of the chain's.
    """

    seals: int
    rows: int
    unsealed: int
    last_sha256: str
    broken: Broken | None
    knows: bool = True


def verify_chain(*, kept: str = "") -> Verified:
    """Recompute every seal from the rows as they are now; `kept` is a digest kept elsewhere."""
    floors = AuditSeal.objects.order_by("floor_id").values_list("floor_id", flat=True).distinct()
    ceilings = dict(pairwise([*floors, None]))
    seals = rows = 0
    previous, knows, last = "", not kept, None
    for seal in AuditSeal.objects.order_by("number").iterator(chunk_size=100):
        broken = _broken(seal, number=seals + 1, previous=previous, ceilings=ceilings)
        if broken is not None:
            return Verified(seals, rows, 0, previous, broken, knows)
        seals, rows, previous, last = seals + 1, rows + seal.row_count, seal.sha256, seal
        knows = knows or seal.sha256 == kept
    unsealed = AuditRecord.objects.count() - rows
    if not knows:
        broken = Broken("the digest that was kept elsewhere is not in the chain", seals)
        return Verified(seals, rows, unsealed, previous, broken, knows)
    return Verified(seals, rows, unsealed, previous, _inserted(last), knows)


def _broken(
    seal: AuditSeal, *, number: int, previous: str, ceilings: Mapping[int | None, int | None]
) -> Broken | None:
    """What is wrong with one seal; `ceilings` says where each era's ids end, if they do."""
    if seal.number != number:
        return Broken("a seal is missing", number)
    stored = bytes(seal.rows)
    if seal.previous_sha256 != previous or seal.sha256 != seal_sha256(seal_fields(seal), stored):
        return Broken("a seal was changed", number)
    window = Window(seal.floor_id, seal.from_transaction, seal.below_transaction)
    found = window.rows(ceiling_id=ceilings[seal.floor_id]).values(*ROW_FIELDS)
    there = {row["id"]: sha256(canonical(row)).digest() for row in found.iterator()}
    wrong = next(_differences(list(read_entries(stored)), there), None)
    return Broken(wrong[0], number, wrong[1]) if wrong else None


def _differences(
    sealed: Sequence[tuple[int, bytes]], there: dict[int, bytes]
) -> Iterator[tuple[str, int]]:
    """What differs, by row: in the order of the chain, then what was never sealed."""
    for row, digest in sealed:
        if row not in there:
            exists = AuditRecord.objects.filter(pk=row).exists()
            yield ("a row was moved to another transaction" if exists else "a row was removed"), row
        elif there[row] != digest:
            yield "a row was changed", row
    known = {row for row, _digest in sealed}
    for row in there:
        if row not in known:
            yield "a row was inserted", row


def _inserted(last: AuditSeal | None) -> Broken | None:
    """A row that no seal covers and none ever will: below a restore, or from no transaction yet."""
    if last is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        newest = cursor.fetchone()[0]
    future = AuditRecord.objects.filter(id__gt=last.floor_id, transaction_id__gte=newest)
    first = future.order_by("id").first()
    if first is not None and last.below_transaction <= newest:
        return Broken("a row was inserted", last.number, first.pk)
    sealed = sum(
        AuditSeal.objects.filter(floor_id__lt=last.floor_id).values_list("row_count", flat=True)
    )
    below = AuditRecord.objects.filter(id__lte=last.floor_id)
    if below.count() == sealed:
        return None
    return Broken("a row was inserted below a restore", last.number, below.latest("id").pk)
