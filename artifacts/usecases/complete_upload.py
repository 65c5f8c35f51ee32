"""Complete a direct upload: its parts become one object that nobody can change (step 2).

Claim nothing, act, record: completing is harmless to repeat, and an answer that was lost is found
again by looking. The bytes are not the build's before a worker has measured them.
"""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction

from artifacts.domain.parts import MOST_SHOWN
from artifacts.domain.transfer import UploadState
from artifacts.errors import BlobMissing, UploadEnded, UploadForgotten, UploadIncomplete
from artifacts.events import UploadCompleted
from artifacts.models import Upload
from artifacts.ports import DirectUploads, Pin
from artifacts.queries import own_upload
from kernel import faults
from kernel.actor import Actor
from kernel.connections import give_back
from kernel.outbox.emit import emit

logger = logging.getLogger(__name__)


def complete_upload(*, actor: Actor, upload: UUID, direct: DirectUploads, now: datetime) -> Upload:
    """Freeze what arrived, and have it measured. Again gives the upload as it is now.

    Raises:
        UploadNotFound: there is no such upload for this actor.
        Unauthenticated, PermissionMissing, BuildNotYours: the actor may not add to its build.
        UploadIncomplete: parts are missing, or have other sizes; it stays open.
        UploadForgotten: the bucket knows neither it nor its object; it can only be given up.
        UploadEnded: it was given up, or refused.
        StorageUnavailable: the bucket cannot do it now; it stays open.
    """
    found = own_upload(actor=actor, upload=upload)
    if found.state in (UploadState.MEASURING, UploadState.STORED):
        return found
    if found.state != UploadState.OPEN:
        raise _ended(found)
    give_back()
    pin = _frozen(found, direct)
    faults.reach("artifacts.frozen")
    return _record(found, pin, now=now)


def _frozen(upload: Upload, direct: DirectUploads) -> Pin:
    transfer = direct.resume(upload.begun)
    arrived = transfer.arrived()
    if arrived is not None:  # None: completed before, and the answer was lost
        differing = upload.plan.differing({one.number: one.size_bytes for one in arrived})
        if differing:
            raise UploadIncomplete(
                upload=upload.pk,
                missing_count=len(differing),
                missing=differing[:MOST_SHOWN],
                part_count=upload.plan.part_count,
            )
    try:
        return transfer.complete(size_bytes=upload.size_bytes)
    except BlobMissing as refusal:
        raise UploadForgotten(upload=upload.pk, path=upload.path) from refusal


def _record(found: Upload, pin: Pin, *, now: datetime) -> Upload:
    with transaction.atomic(durable=True):
        upload = Upload.objects.select_for_update().get(pk=found.pk)
        upload.build = found.build
        if upload.state in (UploadState.MEASURING, UploadState.STORED):
            return upload
        if upload.state != UploadState.OPEN:
            raise _ended(upload)
        upload.state = UploadState.MEASURING
        upload.etag, upload.version_id = pin.etag, pin.version_id
        upload.completed_at = upload.next_attempt_at = upload.touched_at = now
        upload.save()
        emit(UploadCompleted(upload_id=upload.pk), now=now)
    logger.info("direct upload completed", extra={"upload": str(upload.pk)})
    return upload


def _ended(upload: Upload) -> UploadEnded:
    return UploadEnded(upload=upload.pk, state=upload.state, refused=upload.refused)
