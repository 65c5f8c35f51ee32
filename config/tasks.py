"""Celery's ways into what is put together here. Every task may run twice, and at once."""

import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from config.audit_witness import checkpoint_signer, write_checkpoints
from kernel.audit.publish import publish_checkpoint_when_due
from kernel.errors import Refusal

logger = logging.getLogger(__name__)


@shared_task(name="config.publish_checkpoint", ignore_result=True)
def publish_checkpoint_task(**_later: object) -> None:
    """Sign the audit trail's newest seal once a day, and write it where an operator wants it."""
    try:
        publish_checkpoint_when_due(signer=checkpoint_signer(), now=timezone.now())
        if settings.AUDIT_CHECKPOINT_DIRECTORY is not None:
            write_checkpoints(settings.AUDIT_CHECKPOINT_DIRECTORY)
    except Refusal as refusal:  # tried again in five minutes
        logger.warning("audit checkpoint not signed", extra={"refusal": str(refusal)})
    except OSError as error:
        logger.warning("audit checkpoints not written", extra={"error": str(error)})
