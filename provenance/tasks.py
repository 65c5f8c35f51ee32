"""Celery's way in. The task may run twice, and at once."""

import logging
from typing import Final

from celery import shared_task
from django.utils import timezone

from kernel.actor import Actor
from kernel.errors import Refusal
from provenance import wiring
from provenance.usecases.refresh_trust_root import refresh_trust_root

logger = logging.getLogger(__name__)

_FOLLOWER: Final = Actor("trust-root.follow", frozenset())


@shared_task(name="provenance.refresh_trust_root", ignore_result=True)
def refresh_trust_root_task(**_later: object) -> None:
    """Follow the TUF repositories of the signers, where there are any."""
    if not wiring.follows_repository():
        return
    try:
        refresh_trust_root(
            keys=wiring.signer_keys(),
            contested_keys=wiring.contested(),
            actor=_FOLLOWER,
            clock=timezone.now,
        )
    except Refusal as refusal:  # what is published stays
        logger.warning("trust root not refreshed", extra={"refusal": str(refusal)})
