"""Collect what was begun and never finished: half-received bytes, builds left open."""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from artifacts.domain.lifecycle import BuildState
from artifacts.models import Artifact, Build
from artifacts.ports import StagingArea

logger = logging.getLogger(__name__)

PATIENCE: Final = timedelta(days=1)


def collect_litter(*, staging: StagingArea, now: datetime) -> None:
    """Remove what nobody has touched for a day. Blobs stay: other builds may share them.

    Raises:
        StorageUnavailable: the store cannot be swept now; the open builds are gone already.
    """
    before = now - PATIENCE
    builds = _forget_open_builds(before=before)
    files = staging.sweep(before=before)
    if builds or files:
        logger.info("litter collected", extra={"builds": builds, "files": files})


def _forget_open_builds(*, before: datetime) -> int:
    with transaction.atomic(durable=True):
        stale = Build.objects.select_for_update(skip_locked=True).filter(
            state=BuildState.OPEN, opened_at__lt=before
        )
        found = list(stale.order_by("opened_at").values_list("pk", flat=True))
        Artifact.objects.filter(build__in=found).delete()
        Build.objects.filter(pk__in=found).delete()
    return len(found)
