"""Keep one copy of bytes that were sent again: the store had them already (after step 3)."""

import logging
from typing import Final

from django.db import transaction

from artifacts.errors import BlobMissing, StorageFull, StorageUnavailable
from artifacts.models import Blob, BlobState
from artifacts.ports import BlobStore, StoredBytes

logger = logging.getLogger(__name__)

_TROUBLES: Final = (BlobMissing, StorageFull, StorageUnavailable)


def keep_one_copy(*, blob: Blob, sent: StoredBytes, store: BlobStore) -> None:
    """Give up the copy that was just sent, or take it in place of one that became damaged.

    Only after its sender was recorded, so that nobody ever names bytes without sending them. It
    refuses nothing: a second copy that stays is litter, which the collector finds.
    """
    if blob.key == sent.key:
        return
    try:
        kept = store.merge(sent, into=blob.stored)
    except _TROUBLES as refusal:
        logger.warning("second copy left", extra={"key": sent.key, "refusal": str(refusal)})
        return
    if kept == sent:
        _refer_to(sent, blob)


def _refer_to(sent: StoredBytes, blob: Blob) -> None:
    """Let the row name the copy that is whole, if it is still the row that we looked at."""
    with transaction.atomic(durable=True):
        same = Blob.objects.select_for_update().filter(
            pk=blob.pk, key=blob.key, state=BlobState.LIVE
        )
        same.update(key=sent.key, etag=sent.pin.etag, version_id=sent.pin.version_id)
