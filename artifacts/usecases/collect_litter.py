"""Collect what was begun and never finished: half-received bytes, uploads and builds left open."""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.transfer import PENDING, UploadState
from artifacts.models import Artifact, Build, Contribution, Upload
from artifacts.ports import DirectUploads, StagingArea
from artifacts.queries.locking import holds_stand_still
from artifacts.queries.protecting import held_among
from artifacts.usecases.abort_upload import give_up

logger = logging.getLogger(__name__)

PATIENCE: Final = timedelta(days=1)


def collect_litter(
    *, staging: StagingArea, now: datetime, direct: DirectUploads | None = None
) -> None:
    """Remove what nobody has touched for a day. Blobs stay: other builds may share them.

    Raises:
        StorageUnavailable: the store cannot be swept now; the open builds are gone already.
    """
    before = now - PATIENCE
    uploads = _abandon_uploads(direct, before=before, now=now)
    builds = _forget_open_builds(before=before, now=now)
    busy = Upload.objects.filter(state=UploadState.OPEN).values_list("key", flat=True)
    files = staging.sweep(before=before, busy=frozenset(busy))
    if builds or files or uploads:
        logger.info(
            "litter collected", extra={"builds": builds, "uploads": uploads, "files": files}
        )


def _abandon_uploads(direct: DirectUploads | None, *, before: datetime, now: datetime) -> int:
    """End uploads whose clients have asked for nothing for so long, and free their parts."""
    with transaction.atomic(durable=True):
        locked = Upload.objects.select_for_update(skip_locked=True).filter(
            state=UploadState.OPEN, touched_at__lt=before
        )
        found = list(locked.order_by("touched_at"))
        Upload.objects.filter(pk__in=[one.pk for one in found]).update(
            state=UploadState.ABORTED, touched_at=now
        )
    if direct is not None:
        for one in found:
            give_up(upload=one, direct=direct)
    return len(found)


def _forget_open_builds(*, before: datetime, now: datetime) -> int:
    """Forget builds that no file has come to for so long, and none of whose files is held.

    An upload holds its build FOR SHARE, so such a build is skipped; one that was recorded between
    our first look and our lock is seen by the second look.
    """
    fresh = Artifact.objects.filter(build=OuterRef("pk"), stored_at__gte=before)
    busy = Upload.objects.filter(build=OuterRef("pk"), state__in=PENDING)
    stale = Build.objects.filter(
        ~Exists(fresh), ~Exists(busy), state=BuildState.OPEN, opened_at__lt=before
    )
    with transaction.atomic(durable=True):
        locked = stale.select_for_update(skip_locked=True).order_by("opened_at")
        found = [build.pk for build in locked]
        holds_stand_still()
        files = Artifact.objects.filter(build__in=found).values_list("pk", flat=True)
        held = Artifact.objects.filter(pk__in=held_among(Artifact, files, now=now))
        still = stale.filter(pk__in=found).exclude(pk__in=held.values("build"))
        found = list(still.values_list("pk", flat=True))
        Upload.objects.filter(build__in=found).delete()
        Artifact.objects.filter(build__in=found).delete()
        Contribution.objects.filter(build__in=found).delete()
        Build.objects.filter(pk__in=found).delete()
    return len(found)
