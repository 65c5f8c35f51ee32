"""Collect bytes that nobody refers to: the one cure for every crash (docs/adr/0020).

Rows before bytes: what is to go gets a row that says so first, and that row is committed. From
then on no upload can refer to it, because a key is unique, and never used twice. Every step may be
cut off anywhere, and run by two at once; the lock only saves double work.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet

from artifacts.models import Blob, BlobState
from artifacts.ports import Inventory, Listed
from artifacts.queries.locking import collectors_turn
from artifacts.queries.reconciling import damaged_digests, digest_claimed_by, keys_in_use
from artifacts.queries.trash import HAS_USER
from artifacts.usecases.remove_condemned import remove_condemned
from kernel import faults
from kernel.metrics import BLOBS_COLLECTED
from kernel.outbox.emit import beat
from kernel.outbox.queries import heartbeat_age

logger = logging.getLogger(__name__)

GRACE: Final = timedelta(days=1)
EVERY: Final = timedelta(hours=1)
BATCH: Final = 500
HEARTBEAT: Final = "collect_blobs"
LONGEST_KEY: Final = 300  # the column's; a store makes none that are longer


@dataclass(frozen=True, slots=True)
class Collected:
    """What one round did: blobs that nobody had, and keys without any row; what became of them.

    `removed` is confirmed by the store, `left` are removals that failed, and what `stays` was
    still listed behind one.
    """

    unreferenced: int = 0
    orphans: int = 0
    removed: int = 0
    left: int = 0
    stays: int = 0


def collect_blobs_when_due(*, inventory: Inventory, now: datetime) -> Collected | None:
    """Collect if the last round was an hour ago; None when it is not time, or others are at it.

    Raises:
        StorageUnavailable: as `collect_blobs`.
    """
    age = heartbeat_age(HEARTBEAT, now=now)
    if age is not None and age < EVERY:
        return None
    return collect_blobs(inventory=inventory, now=now)


def collect_blobs(
    *, inventory: Inventory, now: datetime, grace: timedelta = GRACE
) -> Collected | None:
    """Remove blobs that no artifact has had for `grace`, and stored keys of that age without a row.

    None when somebody else is collecting.

    Raises:
        StorageUnavailable: as `remove_condemned`; what was decided stays decided.
    """
    with collectors_turn() as is_ours:
        if not is_ours:
            return None
        _note_references(now=now)
        unreferenced = _condemn_unreferenced(before=now - grace)
        orphans = _condemn_orphans(inventory, before=now - grace)
        gone = remove_condemned(inventory=inventory, now=now)
        with transaction.atomic(durable=True):
            beat(HEARTBEAT, now=now)
    collected = Collected(unreferenced, orphans, gone.confirmed, gone.left, gone.stays)
    if collected != Collected():
        logger.info("blobs collected", extra={"counts": collected})
    return collected


def _unreferenced() -> QuerySet[Blob]:
    return Blob.objects.filter(~HAS_USER, state=BlobState.LIVE)


def _note_references(*, now: datetime) -> None:
    """Start the grace of blobs that nobody has, and end it for those that somebody has again."""
    again = Blob.objects.filter(HAS_USER, unreferenced_at__isnull=False)
    again.update(unreferenced_at=None)
    _unreferenced().filter(unreferenced_at=None, stored_at__lt=now).update(unreferenced_at=now)


def _condemn_unreferenced(*, before: datetime) -> int:
    """Mark what nobody has had since then as collecting. What is locked has just been found."""
    total = 0
    while True:
        with transaction.atomic(durable=True):
            due = _unreferenced().filter(unreferenced_at__lt=before)
            locked = due.select_for_update(skip_locked=True).order_by("id")
            found = {blob.pk for blob in locked[:BATCH]}
            # Whoever found one of them live before we locked it has committed: look again.
            referenced = Blob.objects.filter(HAS_USER, pk__in=found).values_list("pk", flat=True)
            condemned = found - set(referenced)
            Blob.objects.filter(pk__in=condemned).update(state=BlobState.COLLECTING)
            faults.reach("artifacts.condemning")
        BLOBS_COLLECTED.labels("unreferenced").inc(len(condemned))
        total += len(condemned)
        if not condemned:
            return total


def _condemn_orphans(inventory: Inventory, *, before: datetime) -> int:
    total, after = 0, ""
    while page := inventory.page(after=after):
        after = page[-1].key
        total += condemn_orphans(listed=[one for one in page if one.written_at < before])
        faults.reach("artifacts.orphaned")
    return total


def condemn_orphans(*, listed: Sequence[Listed]) -> int:
    """Give rows to those of the keys that have none, so that nobody can refer to them now.

    An upload that was on its way for so long finds its key taken, and is refused. What claims to
    be the bytes of a damaged blob stays: it may mend that.
    """
    known = keys_in_use([one.key for one in listed])
    mends = damaged_digests(digest_claimed_by(one.key) for one in listed)
    orphans = [
        one
        for one in listed
        if one.key not in known
        and digest_claimed_by(one.key) not in mends
        and len(one.key) <= LONGEST_KEY
    ]
    Blob.objects.bulk_create(
        [
            Blob(
                sha256=digest_claimed_by(one.key),
                size_bytes=one.size_bytes,
                key=one.key,
                state=BlobState.COLLECTING,
                stored_at=one.written_at,
            )
            for one in orphans
        ],
        ignore_conflicts=True,
    )
    BLOBS_COLLECTED.labels("orphan").inc(len(orphans))
    return len(orphans)
