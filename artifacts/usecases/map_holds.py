"""Let the bucket hold what legal holds cover, so that nobody with its credentials removes it.

Three steps each way, so that a kill leaves a row that claims no more than the bucket does. What is
to be held gets a row, then the bucket's hold, then the row says so. What is to be released has its
row say so no longer, then loses the bucket's hold, then the row (docs/adr/0050).
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from django.db import transaction

from artifacts.models import Blob, BucketHold
from artifacts.ports import ObjectHolds
from artifacts.queries.bucket_holds import blobs_to_hold, can_hold, holds_changed, holds_to_end
from artifacts.queries.locking import mappers_turn
from kernel import faults
from kernel.outbox.emit import beat
from kernel.outbox.queries import heartbeat_age

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(minutes=5)
HEARTBEAT: Final = "map_holds"
SLICE: Final = timedelta(seconds=15)  # a sweep starts the next one
MOST: Final = 5000  # of one slice
BATCH: Final = 200

_One = TypeVar("_One")


@dataclass(frozen=True, slots=True)
class Mapped:
    """What one slice did: objects that are held now, that are no longer, and that were refused."""

    held: int = 0
    released: int = 0
    left: int = 0


def map_holds_when_due(
    *, bucket: ObjectHolds | None, place: str, clock: Callable[[], datetime]
) -> Mapped | None:
    """Map if a hold was placed or lifted since the last round, or that was five minutes ago.

    The rest is for files that came to what is held, and for holds that ended. None where nothing
    is due, or as in `map_holds`.

    Raises:
        StorageUnavailable: as `map_holds`.
    """
    now = clock()
    age = heartbeat_age(HEARTBEAT, now=now)
    is_due = age is None or age >= EVERY or holds_changed(since=now - age)
    return map_holds(bucket=bucket, place=place, clock=clock) if bucket and is_due else None


def map_holds(*, bucket: ObjectHolds, place: str, clock: Callable[[], datetime]) -> Mapped | None:
    """Hold in the bucket what is covered, in sight or in the trash; release what is no longer.

    At most for 15 seconds; the next sweep goes on. What the bucket held before anybody asked us is
    never released. None where the bucket was not found able to hold, or somebody else is at it.

    Raises:
        StorageUnavailable: the bucket cannot be asked now; what was done is done.
    """
    if not can_hold(place=place):
        return None
    with mappers_turn() as is_ours:
        if not is_ours:
            return None
        began = clock()
        held = released = left = done = 0
        due = blobs_to_hold(now=began, limit=MOST)
        for blobs in _batches(due, clock, until=began + SLICE):
            count = hold_objects(bucket=bucket, blobs=blobs, now=began)
            held, left, done = held + count, left + len(blobs) - count, done + len(blobs)
        over = holds_to_end(now=began, limit=MOST)
        for rows in _batches(over, clock, until=began + SLICE):
            count = _release(bucket, rows, now=began)
            released, left, done = released + count, left + len(rows) - count, done + len(rows)
        if done == len(due) + len(over) and MOST not in (len(due), len(over)):
            with transaction.atomic(durable=True):
                beat(HEARTBEAT, now=began)
    mapped = Mapped(held, released, left)
    if mapped != Mapped():
        level = logging.WARNING if left else logging.INFO
        logger.log(level, "holds mapped to the bucket", extra={"counts": mapped})
    return mapped


def hold_objects(*, bucket: ObjectHolds, blobs: Sequence[Blob], now: datetime) -> int:
    """Let the bucket hold these, and say how many it does; again is harmless.

    Raises:
        StorageUnavailable: the bucket cannot be asked what it holds already.
    """
    objects = [blob.version for blob in blobs]
    # What a row exists for is ours to release, whatever is found now.
    asked = [
        BucketHold(key=one.key, version_id=one.pin.version_id, is_foreign=is_foreign, asked_at=now)
        for one, is_foreign in zip(objects, bucket.are_held(objects), strict=True)
    ]
    rows = BucketHold.objects.bulk_create(
        asked,
        update_conflicts=True,
        unique_fields=["key", "version_id"],
        update_fields=["asked_at", "held_at"],
    )
    faults.reach("artifacts.hold_asked")
    kept = [row.pk for row, is_held in zip(rows, bucket.hold(objects), strict=True) if is_held]
    faults.reach("artifacts.hold_put")
    BucketHold.objects.filter(pk__in=kept).update(held_at=now)
    faults.reach("artifacts.hold_noted")
    return len(kept)


def _release(bucket: ObjectHolds, rows: Sequence[BucketHold], *, now: datetime) -> int:
    mentioned = BucketHold.objects.filter(pk__in=[row.pk for row in rows])
    mentioned.update(held_at=None, asked_at=now)
    faults.reach("artifacts.hold_ending")
    ours = [row for row in rows if not row.is_foreign]
    released = bucket.release([row.version for row in ours])
    faults.reach("artifacts.hold_ended")
    kept = [row.pk for row, is_done in zip(ours, released, strict=True) if not is_done]
    mentioned.exclude(pk__in=kept).delete()
    return len(rows) - len(kept)


def _batches(
    found: Sequence[_One], clock: Callable[[], datetime], *, until: datetime
) -> Iterator[Sequence[_One]]:
    for first in range(0, len(found), BATCH):
        if clock() >= until:
            return
        yield found[first : first + BATCH]
