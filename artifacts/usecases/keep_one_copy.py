"""Keep one copy of bytes that were sent again: the store had them already (after step 3)."""

import logging
from datetime import datetime
from typing import Final

from artifacts.errors import BlobMissing, StorageFull, StorageUnavailable
from artifacts.models import Blob
from artifacts.ports import BlobStore, StoredBytes
from artifacts.usecases.mend_blob import take_copy

logger = logging.getLogger(__name__)

_TROUBLES: Final = (BlobMissing, StorageFull, StorageUnavailable)


def keep_one_copy(*, blob: Blob, sent: StoredBytes, store: BlobStore, now: datetime) -> None:
    """Give up the copy that was just sent, or take it in place of one that became damaged.

    Only after its sender was recorded, so that nobody ever names bytes without sending them. It
    refuses nothing: a second copy that stays is litter, which the collector finds.
    """
    if blob.key == sent.key:
        return
    # What is known to be damaged may look whole to the store: a disk lies about bytes, not sizes.
    kept = sent if blob.damaged_at is not None else _merged(blob, sent, store)
    if kept == sent:
        take_copy(blob=blob, stored=sent, way="upload", now=now)


def _merged(blob: Blob, sent: StoredBytes, store: BlobStore) -> StoredBytes | None:
    try:
        return store.merge(sent, into=blob.stored)
    except _TROUBLES as refusal:
        logger.warning("second copy left", extra={"key": sent.key, "refusal": str(refusal)})
        return None
