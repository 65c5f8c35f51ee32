"""Remove the bytes of what is collecting, ask the store again, and only then let go of the row.

A row whose bytes are verifiably gone becomes a `FreedBlob`, in one transaction. Whatever cannot be
removed, or is still listed afterwards, keeps its row: the next round removes it and asks again.
"""

import logging
from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Final

from django.db import transaction
from django.db.models import OuterRef, Subquery

from artifacts.errors import BlobMissing, StorageUnavailable
from artifacts.models import Blob, BlobState, FreedBlob, Tombstone
from artifacts.ports import Inventory
from kernel import faults
from kernel.metrics import BLOBS_COLLECTED, FREED_BYTES

logger = logging.getLogger(__name__)

BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Removed:
    """Blobs that the store has no more, removals that failed, and those that changed nothing."""

    confirmed: int = 0
    left: int = 0
    stays: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(
            self.confirmed + other.confirmed, self.left + other.left, self.stays + other.stays
        )


def remove_condemned(*, inventory: Inventory, now: datetime) -> Removed:
    """Remove what is collecting, in the order of the keys, and confirm what has gone.

    A failure is one key's: an object that is locked, or in a place that we may not write to, must
    not keep all others. A repeat, also after a kill, does what is left.

    Raises:
        StorageUnavailable: the store cannot be listed now, lists out of order, or is empty while
            rows name bytes in it: that it lacks something would prove nothing.
    """
    condemned = Blob.objects.filter(state=BlobState.COLLECTING)
    if not condemned.exists():
        return Removed()
    # Rows first: their bytes were there before them.
    has_bytes = Blob.objects.filter(state=BlobState.LIVE, damaged_at=None).exists()
    if has_bytes and not inventory.page(after=""):
        raise StorageUnavailable(reason="nothing is stored where bytes should be")
    total, after = Removed(), ""
    while batch := list(condemned.filter(key__gt=after).order_by("key")[:BATCH]):
        after = batch[-1].key
        total += _remove(batch, inventory, now=now)
    return total


def still_stored(*, keys: Sequence[str], inventory: Inventory) -> frozenset[str]:
    """Those of the keys, given in order, that anything is stored under: also old versions alone.

    As many pages as there are keys at most, and no more than the list between them has.

    Raises:
        StorageUnavailable: the store cannot be listed now, or not in order.
    """
    found: set[str] = set()
    position, after = 0, ""
    while position < len(keys):
        # A key stands directly behind itself without its last character, as far as keys are random.
        after = max(after, keys[position][:-1])
        page = [one.key for one in inventory.page(after=after)]
        if any(key >= following for key, following in pairwise([after, *page])):
            raise StorageUnavailable(reason="the store lists its keys out of order", after=after)
        asked = bisect_right(keys, page[-1], lo=position) if page else len(keys)
        found.update(set(page).intersection(keys[position:asked]))
        position, after = asked, page[-1] if page else after
    return frozenset(found)


def _remove(batch: Sequence[Blob], inventory: Inventory, *, now: datetime) -> Removed:
    removed = [blob for blob in batch if _is_removed(blob, inventory)]
    stored = still_stored(keys=[blob.key for blob in removed], inventory=inventory)
    faults.reach("artifacts.asked")
    gone = {blob.pk for blob in removed if blob.key not in stored}
    stuck = [blob.pk for blob in batch if blob.pk not in gone]
    Blob.objects.filter(pk__in=stuck, stuck_at=None).update(stuck_at=now)
    freed = _let_go(gone, now=now)
    faults.reach("artifacts.collected")
    for key in stored:
        logger.warning("blob still stored behind its removal", extra={"key": key})
    BLOBS_COLLECTED.labels("removed").inc(len(freed))
    BLOBS_COLLECTED.labels("stays").inc(len(stored))
    FREED_BYTES.inc(sum(one.size_bytes for one in freed))
    return Removed(len(freed), len(batch) - len(removed), len(stored))


def _is_removed(blob: Blob, inventory: Inventory) -> bool:
    try:
        inventory.remove(blob.key)
    except (StorageUnavailable, BlobMissing) as refusal:
        BLOBS_COLLECTED.labels("left").inc()
        logger.warning("blob not removed", extra={"key": blob.key, "refusal": str(refusal)})
        return False
    faults.reach("artifacts.removed")
    return True


def _let_go(gone: Collection[int], *, now: datetime) -> list[FreedBlob]:
    """Exchange the rows for what remains of them, with the plan that took the last file of each."""
    # Of all who had these bytes: whoever had others of the same digest came after nobody had them.
    users = Tombstone.objects.filter(
        sha256=OuterRef("sha256"), buried_at__lte=OuterRef("unreferenced_at")
    )
    last = users.order_by("-removed_at", "artifact_id").values("plan")[:1]
    with transaction.atomic(durable=True):
        locked = Blob.objects.select_for_update(of=("self",)).filter(
            pk__in=gone, state=BlobState.COLLECTING
        )
        freed = FreedBlob.objects.bulk_create(
            FreedBlob(
                blob_id=blob.pk,
                sha256=blob.sha256,
                key=blob.key,
                size_bytes=blob.size_bytes,
                freed_at=now,
                plan_id=blob.freed_by,
            )
            for blob in locked.annotate(freed_by=Subquery(last)).order_by("id")
        )
        Blob.objects.filter(pk__in=[one.blob_id for one in freed]).delete()
        faults.reach("artifacts.freeing")
    return freed
