"""Mark a blob as damaged: from now on nobody gets it, and everybody is told why."""

import logging
from datetime import datetime
from typing import Final

from django.db import transaction

from artifacts.models import Blob, BlobState
from kernel.actor import Actor
from kernel.audit.record import record
from kernel.metrics import BLOB_DAMAGE

logger = logging.getLogger(__name__)

KEEPER: Final = Actor("store.keeper", frozenset())


def mark_damaged(*, blob: Blob, found: str, now: datetime, actor: Actor = KEEPER) -> bool:
    """Say that the row's bytes are not the measured ones; False where it is known, or not so.

    `found` is the digest that was measured, or what else was seen. The audit trail has the event.
    """
    with transaction.atomic(durable=True):
        same = Blob.objects.filter(
            pk=blob.pk, key=blob.key, state=BlobState.LIVE, damaged_at__isnull=True
        )
        if not same.update(damaged_at=now):
            return False
        record(
            actor,
            "blob.damage",
            blob.sha256,
            now=now,
            key=blob.key,
            size_bytes=blob.size_bytes,
            found=found,
            artifacts=blob.artifact_set.count(),
            before={"damaged_at": None},
            after={"damaged_at": now.isoformat()},
        )
    BLOB_DAMAGE.labels("damaged").inc()
    logger.error("blob damaged", extra={"expected": blob.sha256, "key": blob.key, "found": found})
    return True
