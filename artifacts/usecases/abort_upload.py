"""Give up a direct upload, so that its build can be sealed without it (step 2)."""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction

from artifacts.domain.transfer import PENDING, UploadState
from artifacts.errors import StorageUnavailable, UploadEnded
from artifacts.models import Upload
from artifacts.ports import DirectUploads
from artifacts.queries import own_upload
from kernel.actor import Actor

logger = logging.getLogger(__name__)


def abort_upload(*, actor: Actor, upload: UUID, direct: DirectUploads, now: datetime) -> Upload:
    """Give it up; again is harmless. Bytes that were completed already are collected later.

    Raises:
        UploadNotFound: there is no such upload for this actor.
        Unauthenticated, PermissionMissing, BuildNotYours: the actor may not add to its build.
        UploadEnded: its file is in the build already, or it was refused.
    """
    own_upload(actor=actor, upload=upload)
    with transaction.atomic(durable=True):
        found = Upload.objects.select_for_update().get(pk=upload)
        if found.state not in (*PENDING, UploadState.ABORTED):
            raise UploadEnded(upload=found.pk, state=found.state, refused=found.refused)
        found.state = UploadState.ABORTED
        found.touched_at = now
        found.save(update_fields=["state", "touched_at"])
    give_up(upload=found, direct=direct)
    return found


def give_up(*, upload: Upload, direct: DirectUploads) -> None:
    """Free what the bucket holds of an upload that has ended; what is left a sweep finds."""
    try:
        direct.resume(upload.begun).abort()
    except StorageUnavailable as refusal:
        logger.warning("parts left", extra={"upload": str(upload.pk), "refusal": str(refusal)})
