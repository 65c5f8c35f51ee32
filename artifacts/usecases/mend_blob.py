"""Mend a damaged blob from any whole copy that can be had; only measured bytes count."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from artifacts.errors import BlobMissing, DigestMismatch, StorageFull, StorageUnavailable
from artifacts.models import Blob, BlobState
from artifacts.ports import UNPINNED, BlobStore, Inventory, StoredBytes
from artifacts.queries.locking import collectors_turn
from artifacts.queries.reconciling import keys_in_use
from artifacts.usecases.mark_damaged import KEEPER
from artifacts.usecases.measure_blob import measure_blob
from kernel import faults
from kernel.actor import Actor
from kernel.audit.record import record
from kernel.digest import Sha256
from kernel.metrics import BLOB_DAMAGE
from kernel.outbox.emit import beat
from kernel.outbox.queries import heartbeat_age

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(hours=1)
HEARTBEAT: Final = "mend_damaged"
_TROUBLES: Final = (BlobMissing, DigestMismatch, StorageFull, StorageUnavailable)


@dataclass(frozen=True, slots=True)
class Copies:
    """Where whole bytes may be: in the store itself, and in a second one where there is one."""

    store: BlobStore
    inventory: Inventory
    second: BlobStore | None = None


def mend_blob(*, blob: Blob, copies: Copies, now: datetime, actor: Actor = KEEPER) -> str | None:
    """Let the row name whole bytes again, and say where they were; None where there are none now.

    `in-place`: its own bytes are whole (somebody has put them back). `adopted`: bytes of the store
    that no row names have its digest. `second-copy`: the second store had them.
    """
    if _digest(copies.store, blob.stored) == blob.sha256:
        return _taken(blob, blob.stored, "in-place", now=now, actor=actor)
    # Nobody may remove a key between our look at it and our row.
    with collectors_turn() as is_ours:
        if is_ours:
            for stored in _claimed(blob, copies.inventory):
                if _digest(copies.store, stored) == blob.sha256:
                    faults.reach("artifacts.adopting")
                    return _taken(blob, stored, "adopted", now=now, actor=actor)
    if copies.second is not None:
        sent = _copied(blob, copies.store, copies.second)
        if sent is not None:
            faults.reach("artifacts.copied_back")
            return _taken(blob, sent, "second-copy", now=now, actor=actor)
    return None


def mend_damaged_when_due(*, copies: Copies, now: datetime) -> int:
    """Try that with every damaged blob once an hour, and say how many are whole again."""
    age = heartbeat_age(HEARTBEAT, now=now)
    if age is not None and age < EVERY:
        return 0
    with transaction.atomic(durable=True):
        beat(HEARTBEAT, now=now)
    return sum(way is not None for _blob, way in mend_damaged(copies=copies, now=now))


def mend_damaged(
    *, copies: Copies, now: datetime, actor: Actor = KEEPER
) -> Iterator[tuple[Blob, str | None]]:
    """Try that with every damaged blob now: each with where its bytes were, or None."""
    damaged = Blob.objects.filter(damaged_at__isnull=False, state=BlobState.LIVE)
    for key in damaged.order_by("id").values_list("pk", flat=True):
        blob = damaged.filter(pk=key).first()
        if blob is not None:
            yield blob, mend_blob(blob=blob, copies=copies, now=now, actor=actor)


def take_copy(
    *, blob: Blob, stored: StoredBytes, way: str, now: datetime, actor: Actor = KEEPER
) -> bool:
    """Let the row name these measured bytes, if it still is the row that was looked at.

    What it named before has no row any more, and is the collector's.
    """
    try:
        with transaction.atomic(durable=True):
            same = Blob.objects.select_for_update().filter(
                pk=blob.pk, key=blob.key, state=BlobState.LIVE
            )
            was_damaged = same.filter(damaged_at__isnull=False).exists()
            if not same.update(
                key=stored.key,
                etag=stored.pin.etag,
                version_id=stored.pin.version_id,
                damaged_at=None,
            ):
                return False
            if was_damaged:
                record(
                    actor,
                    "blob.mend",
                    blob.sha256,
                    now=now,
                    way=way,
                    before={"key": blob.key},
                    after={"key": stored.key},
                )
            faults.reach("artifacts.mending")
    except IntegrityError:
        return False  # the key has got a row of its own: it is on its way out
    if was_damaged:
        BLOB_DAMAGE.labels("mended").inc()
        logger.warning("blob mended", extra={"sha256": blob.sha256, "key": stored.key, "way": way})
    return True


def _taken(blob: Blob, stored: StoredBytes, way: str, *, now: datetime, actor: Actor) -> str | None:
    return way if take_copy(blob=blob, stored=stored, way=way, now=now, actor=actor) else None


def _digest(store: BlobStore, stored: StoredBytes) -> str:
    """What is measured there now, or nothing where nothing can be."""
    try:
        return measure_blob(store=store, stored=stored).hex
    except (BlobMissing, StorageUnavailable) as refusal:
        logger.info("copy not readable", extra={"key": stored.key, "refusal": str(refusal)})
        return ""


def _claimed(blob: Blob, inventory: Inventory) -> Iterator[StoredBytes]:
    """Keys without a row that claim the blob's digest; they stand together in every store."""
    after = prefix = f"blobs/sha256/{blob.sha256[:2]}/{blob.sha256}"
    while page := inventory.page(after=after):
        here = [one for one in page if one.key.startswith(prefix)]
        used = keys_in_use([one.key for one in here])
        for one in here:
            newest = [copy for copy in one.copies if copy.is_newest]
            if one.key not in used and newest and newest[0].size_bytes == blob.size_bytes:
                yield StoredBytes(Sha256(blob.sha256), blob.size_bytes, one.key, newest[0].pin)
        if len(here) < len(page):
            return
        after = page[-1].key


def _copied(blob: Blob, store: BlobStore, second: BlobStore) -> StoredBytes | None:
    """The second store's bytes, put into the first under a key of their own, and measured there."""
    try:
        with second.open(blob.key, size_bytes=blob.size_bytes, pin=UNPINNED) as reader:
            chunks = reader.chunks(0, blob.size_bytes)
            return store.put(chunks, expected=Sha256(blob.sha256))
    except _TROUBLES as refusal:
        logger.warning("no second copy", extra={"key": blob.key, "refusal": str(refusal)})
        return None
