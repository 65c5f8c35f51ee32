"""Measure completed uploads: read the frozen object once, and believe nothing else (step 3).

The row is leased and the lease renewed while bytes flow, so that another worker takes over when
this one dies. Progress stands on the row. Only a measured digest enters the build.
"""

import logging
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Q

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.transfer import UploadState
from artifacts.errors import (
    BlobMissing,
    NameImmutable,
    PathTaken,
    QuotaExceeded,
    StorageFull,
    StorageUnavailable,
)
from artifacts.models import Artifact, Upload
from artifacts.ports import BlobStore, Inventory, StoredBytes
from artifacts.queries import artifact_of_build
from artifacts.queries.immutable import require_name_new
from artifacts.queries.locking import build_held_together
from artifacts.usecases.add_file import add_file
from artifacts.usecases.keep_one_copy import keep_one_copy
from artifacts.usecases.publish_file import same_bytes
from kernel import faults
from kernel.actor import Actor
from kernel.connections import give_back
from kernel.digest import Sha256
from kernel.errors import Refusal
from kernel.metrics import UPLOAD_BYTES, UPLOADS
from provenance.domain.backoff import delay

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=60)
HEARTBEAT: Final = timedelta(seconds=10)
WINDOW_BYTES: Final = 64 * 1024 * 1024
TRIES: Final = 4  # of one window, before the whole is put off


class _LeaseLost(Exception):
    """Somebody else is at it, or the upload was given up: the row is not ours any more."""


@dataclass(frozen=True, slots=True)
class Bytes:
    """Where measured bytes are read, and where others are removed."""

    store: BlobStore
    inventory: Inventory


def measure_upload(*, place: Bytes, clock: Callable[[], datetime]) -> bool:
    """Measure one upload that is due, and add its file to the build or refuse it.

    False when none is due. Running it twice, at once or again, adds one file.
    """
    upload = _claim(now=clock())
    if upload is None:
        return False
    faults.reach("artifacts.measuring")
    try:
        _work(upload, place, clock)
    except _LeaseLost:
        logger.warning("lease lost", extra={"upload": str(upload.pk)})
    return True


def _work(upload: Upload, place: Bytes, clock: Callable[[], datetime]) -> None:
    try:
        measured = _measured(upload, place.store, clock)
        faults.reach("artifacts.measured")
        _settle(upload, measured, place, now=clock())
    except (BlobMissing, NameImmutable, PathTaken, QuotaExceeded) as refusal:
        _refuse(upload, _told(refusal), place.inventory)
    except (StorageUnavailable, StorageFull) as refusal:
        _postpone(upload, refusal, now=clock())


def _claim(*, now: datetime) -> Upload | None:
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    with transaction.atomic(durable=True):
        due = Upload.objects.select_for_update(skip_locked=True, of=("self",)).filter(
            free, state=UploadState.MEASURING, next_attempt_at__lte=now
        )
        upload = due.order_by("next_attempt_at").first()
        if upload is None:
            return None
        upload.lease = uuid.uuid4()
        upload.leased_until = now + LEASE
        upload.attempts += 1
        upload.measured_bytes = 0
        upload.save(update_fields=["lease", "leased_until", "attempts", "measured_bytes"])
    return upload


def _measured(upload: Upload, store: BlobStore, clock: Callable[[], datetime]) -> Sha256:
    """The digest of the pinned object, read once from the first byte to the last."""
    whole, position, failures, renew_at = sha256(), 0, 0, clock() + HEARTBEAT
    with store.open(upload.key, size_bytes=upload.size_bytes, pin=upload.pin) as reader:
        while position < upload.size_bytes:
            length = min(WINDOW_BYTES, upload.size_bytes - position)
            try:
                for chunk in reader.chunks(position, length):
                    whole.update(chunk)
                    position += len(chunk)
                failures = 0
            except StorageUnavailable:
                # Hours of hashing are not begun again for one broken connection.
                failures += 1
                if failures == TRIES:
                    raise
            faults.reach("artifacts.half_measured")
            if clock() >= renew_at:
                _renew(upload, position, now=clock())
                renew_at = clock() + HEARTBEAT
    return Sha256.of(whole.digest())


def _renew(upload: Upload, measured_bytes: int, *, now: datetime) -> None:
    ours = Upload.objects.filter(pk=upload.pk, lease=upload.lease, state=UploadState.MEASURING)
    if not ours.update(leased_until=now + LEASE, measured_bytes=measured_bytes):
        raise _LeaseLost
    give_back()


def _settle(upload: Upload, measured: Sha256, place: Bytes, *, now: datetime) -> None:
    if measured.hex != upload.declared_sha256:
        reason = {
            "code": "digest-mismatch",
            "declared": upload.declared_sha256,
            "measured": measured.hex,
        }
        _refuse(upload, reason, place.inventory)
        return
    stored = StoredBytes(measured, upload.size_bytes, upload.key, upload.pin)
    artifact = _record(upload, stored, now=now)
    faults.reach("artifacts.added")
    UPLOADS.labels("stored").inc()
    UPLOAD_BYTES.inc(upload.size_bytes)
    keep_one_copy(blob=artifact.blob, sent=stored, store=place.store, now=now)
    logger.info(
        "artifact stored",
        extra={"upload": str(upload.pk), "artifact": str(artifact.pk), "sha256": measured.hex},
    )


def _record(upload: Upload, stored: StoredBytes, *, now: datetime) -> Artifact:
    """Add the file and end the upload as one. The build is open: a pending upload holds it so."""
    try:
        with transaction.atomic(durable=True):
            locked = _locked(upload)
            artifact = _existing(locked, stored) or _added(locked, stored, now=now)
            locked.state = UploadState.STORED
            locked.artifact = artifact
            locked.measured_bytes = locked.size_bytes
            locked.lease = locked.leased_until = locked.last_error = None
            locked.save()
            faults.reach("artifacts.adding")
    except IntegrityError as error:
        raise StorageUnavailable(reason="another upload took the path in this moment") from error
    return artifact


def _locked(upload: Upload) -> Upload:
    """The row, while it is ours; the build is locked first, as by everybody."""
    build = build_held_together(upload.build_id)
    ours = Upload.objects.select_for_update().filter(
        pk=upload.pk, lease=upload.lease, state=UploadState.MEASURING
    )
    locked = ours.first()
    if locked is None or build is None or build.state != BuildState.OPEN:
        raise _LeaseLost
    return locked


def _existing(upload: Upload, stored: StoredBytes) -> Artifact | None:
    existing = artifact_of_build(build=upload.build, path=upload.path)
    return same_bytes(existing=existing, digest=stored.digest) if existing is not None else None


def _added(upload: Upload, stored: StoredBytes, *, now: datetime) -> Artifact:
    # What the actor may do was decided when the upload was started; here it only has a name.
    added = add_file(
        actor=Actor(upload.started_by, frozenset()),
        contribution=upload.contribution,
        path=upload.path,
        origin=None,
        stored=stored,
        now=now,
    )
    require_name_new(added)
    return added


def _refuse(upload: Upload, refused: dict[str, str], inventory: Inventory) -> None:
    """Say so first; then the bytes go. What cannot be removed now is the collector's."""
    ours = Upload.objects.filter(pk=upload.pk, lease=upload.lease, state=UploadState.MEASURING)
    if not ours.update(state=UploadState.REFUSED, refused=refused, lease=None, leased_until=None):
        raise _LeaseLost
    faults.reach("artifacts.refused")
    with suppress(StorageUnavailable):
        inventory.remove(upload.key)
    UPLOADS.labels(refused["code"]).inc()
    logger.warning("direct upload refused", extra={"upload": str(upload.pk), "reason": refused})


def _postpone(upload: Upload, refusal: Refusal, *, now: datetime) -> None:
    """Try again later; from seconds to an hour, with the reason on the row."""
    wait = delay(attempts=upload.attempts, request=upload.pk)
    ours = Upload.objects.filter(pk=upload.pk, lease=upload.lease, state=UploadState.MEASURING)
    ours.update(
        lease=None, leased_until=None, next_attempt_at=now + wait, last_error=_told(refusal)
    )
    logger.warning("upload not measured", extra={"upload": str(upload.pk), "refusal": str(refusal)})


def _told(refusal: Refusal) -> dict[str, str]:
    return {"code": refusal.code, **{name: str(fact) for name, fact in refusal.facts.items()}}
