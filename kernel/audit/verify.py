"""Verify the audit trail against its seals and signed checkpoints.

Everything is recomputed, and the first thing that is wrong is named. What this proves, and what it
cannot, is in docs/audit.md.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from django.db import connection

from kernel.audit.chain import ROW_FIELDS, read_entries, row_sha256, rows_sha256, seal_sha256
from kernel.audit.checkpoint import Checkpoint, digests_of
from kernel.audit.models import AuditRecord, AuditSeal
from kernel.audit.seal import Window, seal_fields

# A seal holds up to 800 KB of digests; a busy second has two or three of them.
_SEALS_AT_ONCE: Final = 8


@dataclass(frozen=True, slots=True)
class Broken:
    """The first thing that is not as it was sealed; `row` is the id of an audit record."""

    what: str
    seal: int
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Verified:
    """How far the chain reaches; `broken` is None when all is as it was sealed.

    `signed_seal` is the newest seal that a checkpoint names, 0 for none: what stands behind it is
    proven by this database alone.
    """

    seals: int
    rows: int
    unsealed: int
    last_sha256: str
    broken: Broken | None
    signed_seal: int = 0


def _untold(_seals: int, _rows: int) -> None:
    """Nobody watches."""


def verify_chain(
    *,
    kept: str = "",
    checkpoints: Iterable[Checkpoint] = (),
    told: Callable[[int, int], None] = _untold,
) -> Verified:
    """Recompute every seal from the rows as they are now, in memory for a few seals.

    `kept` is a seal's digest that was kept elsewhere, `checkpoints` are signed ones whose
    signatures were verified; the chain must have them all. `told` hears after each seal how many
    seals and rows were good.
    """
    signed = digests_of(checkpoints)
    floors = AuditSeal.objects.order_by("floor_id").values_list("floor_id", flat=True).distinct()
    ceilings = dict(pairwise([*floors, None]))
    seals = rows = 0
    previous, knows, last = "", not kept, None
    for seal in AuditSeal.objects.order_by("number").iterator(chunk_size=_SEALS_AT_ONCE):
        broken = _broken(seal, number=seals + 1, previous=previous, ceilings=ceilings)
        if broken is None and signed.get(seal.number, set()) - {seal.sha256}:
            broken = Broken("the chain was rewritten: a signed checkpoint differs", seal.number)
        if broken is not None:
            return Verified(seals, rows, 0, previous, broken)
        seals, rows, previous = seals + 1, rows + seal.row_count, seal.sha256
        knows, last = knows or seal.sha256 == kept, _Last(seal.floor_id, seal.below_transaction)
        told(seals, rows)
    newest = max(signed, default=0)
    unsealed = AuditRecord.objects.count() - rows
    broken = _inserted(last, seals)
    if newest > seals:
        broken = Broken("the end of the chain was cut off: a signed checkpoint names more", newest)
    elif not knows:
        broken = Broken("the digest that was kept elsewhere is not in the chain", seals)
    return Verified(seals, rows, unsealed, previous, broken, newest)


@dataclass(frozen=True, slots=True)
class _Last:
    """What of the last seal says where the next one begins."""

    floor_id: int
    below_transaction: int


def _broken(
    seal: AuditSeal, *, number: int, previous: str, ceilings: Mapping[int | None, int | None]
) -> Broken | None:
    """What is wrong with one seal; `ceilings` says where each era's ids end, if they do."""
    if seal.number != number:
        return Broken("a seal is missing", number)
    stored = bytes(seal.rows)
    expected = seal_sha256(seal_fields(seal), rows_sha256(stored))
    if seal.previous_sha256 != previous or seal.sha256 != expected:
        return Broken("a seal was changed", number)
    window = Window(seal.floor_id, seal.from_transaction, seal.below_transaction)
    found = window.rows(ceiling_id=ceilings[seal.floor_id]).values(*ROW_FIELDS)
    there = {row["id"]: row_sha256(row) for row in found.iterator()}
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


def _inserted(last: _Last | None, number: int) -> Broken | None:
    """A row that no seal covers and none ever will: below a floor, or from no transaction yet."""
    if last is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        newest = cursor.fetchone()[0]
    future = AuditRecord.objects.filter(id__gt=last.floor_id, transaction_id__gte=newest)
    first = future.order_by("id").first()
    if first is not None and last.below_transaction <= newest:
        return Broken("a row was inserted", number, first.pk)
    sealed = sum(
        AuditSeal.objects.filter(floor_id__lt=last.floor_id).values_list("row_count", flat=True)
    )
    below = AuditRecord.objects.filter(id__lte=last.floor_id)
    if below.count() == sealed:
        return None
    return Broken("a row was inserted below what was sealed", number, below.latest("id").pk)
