"""Publish a signed checkpoint of the audit trail: daily, or when an operator asks for one."""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from kernel.audit.checkpoint import Checkpoint, CheckpointSigner
from kernel.audit.models import AuditCheckpoint
from kernel.audit.seal import last_seal
from kernel.outbox.emit import beat
from kernel.outbox.queries import heartbeat_age

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(days=1)
TRIED_EVERY: Final = timedelta(minutes=5)
_TRIED: Final = "audit-checkpoint"


def publish_checkpoint(*, signer: CheckpointSigner, now: datetime) -> AuditCheckpoint | None:
    """Sign the newest seal and keep the result for everybody.

    None where nothing is sealed yet, and where another process was faster: its checkpoint stands.

    Raises:
        Refusal: the signer cannot sign now.
    """
    seal, last = last_seal(), last_checkpoint()
    if seal is None:
        return None
    checkpoint = Checkpoint(
        number=last.number + 1 if last else 1,
        seal=seal.number,
        seal_sha256=seal.sha256,
        made_at=now,
    )
    made = AuditCheckpoint(
        number=checkpoint.number,
        seal=checkpoint.seal,
        seal_sha256=checkpoint.seal_sha256,
        made_at=now,
        bundle=signer.sign(checkpoint),
    )
    try:
        with transaction.atomic(durable=True):
            made.save(force_insert=True)
    except IntegrityError:
        return None
    # A log that is shipped elsewhere is one of the places where a checkpoint is kept.
    logger.info(
        "audit checkpoint published",
        extra={
            "checkpoint": made.number,
            "seal": made.seal,
            "seal_sha256": made.seal_sha256,
        },
    )
    return made


def publish_checkpoint_when_due(*, signer: CheckpointSigner, now: datetime) -> None:
    """The same if the last one is a day old, or there is none; tried every five minutes at most.

    Raises:
        Refusal: the signer cannot sign now.
    """
    last = last_checkpoint()
    if last is not None and last.made_at > now - EVERY:
        return
    tried = heartbeat_age(_TRIED, now=now)
    if last_seal() is None or (tried is not None and tried < TRIED_EVERY):
        return
    beat(_TRIED, now=now)
    publish_checkpoint(signer=signer, now=now)


def last_checkpoint() -> AuditCheckpoint | None:
    """The newest checkpoint; None before the first."""
    return AuditCheckpoint.objects.order_by("-number").first()
