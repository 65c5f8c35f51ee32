"""Collect what was begun and never finished: half-received bytes, builds left open."""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from artifacts.domain.lifecycle import BuildState
from artifacts.models import Artifact, Build, Contribution
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
    """Forget builds that no file has come to for so long.

    An upload holds its build FOR SHARE, so such a build is skipped; one that was recorded between
    our first look and our lock is seen by the second look.
    """
    fresh = Artifact.objects.filter(build=OuterRef("pk"), stored_at__gte=before)
    stale = Build.objects.filter(~Exists(fresh), state=BuildState.OPEN, opened_at__lt=before)
    with transaction.atomic(durable=True):
        locked = stale.select_for_update(skip_locked=True).order_by("opened_at")
        found = [build.pk for build in locked]
        found = list(stale.filter(pk__in=found).values_list("pk", flat=True))
        Artifact.objects.filter(build__in=found).delete()
        Contribution.objects.filter(build__in=found).delete()
        Build.objects.filter(pk__in=found).delete()
    return len(found)
