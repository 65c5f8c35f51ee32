"""Start a direct upload: its bytes will go to the bucket, and not through us (step 2).

Whoever sends bytes that the store has already sends them all the same: a digest that is known would
otherwise be enough to get them.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.names import parse_path
from artifacts.domain.parts import MOST_BYTES, plan
from artifacts.domain.transfer import PENDING
from artifacts.errors import (
    BuildFull,
    BuildNotFound,
    BuildSealed,
    UploadInProgress,
    UploadTooLarge,
)
from artifacts.models import Build, Upload
from artifacts.ports import Begun, DirectUploads
from artifacts.queries import artifact_of_build, own_build
from artifacts.queries.locking import build_held_together
from artifacts.queries.uploads import (
    hindrance_to_direct,
    no_bucket,
    pending_uploads,
)
from artifacts.usecases.count_use import require_room
from artifacts.usecases.join_build import join_build
from artifacts.usecases.publish_file import same_bytes
from kernel.actor import Actor
from kernel.connections import give_back
from kernel.digest import Sha256

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Target:
    """Where direct uploads go: None where there is no bucket; its name in the probe's results.

    `most_files` is how many files a build may have.
    """

    direct: DirectUploads | None
    place: str
    part_bytes: int
    most_files: int


@dataclass(frozen=True, slots=True)
class Announced:
    """What a client is about to send."""

    path: str
    digest: Sha256
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Begin:
    """The upload that was begun; `is_new` is False for one that waits for its parts already."""

    upload: Upload
    is_new: bool


def start_upload(
    *, actor: Actor, build: UUID, announced: Announced, target: Target, now: datetime
) -> Begin:
    """Begin an upload of this file, or give the pending one of the same path and digest.

    Raises:
        BuildNotFound: there is no such build for this actor.
        Unauthenticated, PermissionMissing, BuildNotYours: the actor may not add to it.
        UnsafePath: the path is not a name for an artifact.
        DirectUploadsUnavailable: this store takes none; the facts say why, and what to do.
        UploadTooLarge: no object can be so large.
        PathTaken: the path names other bytes already.
        UploadInProgress: other bytes are on their way to this path, or these have been stored.
        BuildSealed: the build has all its files.
        BuildFull: it has, or awaits, as many files as a build may have.
        QuotaExceeded: the organization or the project cannot have these bytes.
        StorageUnavailable: the bucket cannot be reached now.
    """
    found = own_build(actor=actor, build=build)
    path = parse_path(announced.path)
    direct = _direct(target)
    if announced.size_bytes > MOST_BYTES:
        raise UploadTooLarge(limit_bytes=MOST_BYTES, observed_bytes=announced.size_bytes)
    pending = _existing(found, path, announced)
    if pending is not None:
        return Begin(pending, is_new=False)
    if found.state != BuildState.OPEN:
        raise BuildSealed(build=found.pk, state=found.state, sealed_at=found.sealed_at)
    _refuse_full(found, target)
    require_room(
        project=found.project,
        digest=announced.digest,
        size_bytes=announced.size_bytes,
        now=now,
    )
    give_back()
    begun = direct.begin(announced.digest)
    try:
        upload = _record(actor, found, announced, begun, target, now=now)
    except IntegrityError:
        # Somebody else began it in this moment. What we began is litter that a sweep finds.
        winner = _existing(found, path, announced)
        if winner is None:
            raise
        return Begin(winner, is_new=False)
    logger.info(
        "direct upload started",
        extra={"upload": str(upload.pk), "build": str(build), "size_bytes": upload.size_bytes},
    )
    return Begin(upload, is_new=True)


def _direct(target: Target) -> DirectUploads:
    if target.direct is None:
        raise no_bucket()
    hindrance = hindrance_to_direct(place=target.place)
    if hindrance is not None:
        raise hindrance
    return target.direct


def _refuse_full(build: Build, target: Target) -> None:
    files = build.artifacts.count() + len(pending_uploads(build))
    if files >= target.most_files:
        raise BuildFull(
            build=build.pk,
            limit_files=target.most_files,
            observed_files=files,
            setting="STRONGROOM_MAX_BUILD_FILES",
            raised_by="the operator of this store",
        )


def _existing(build: Build, path: str, announced: Announced) -> Upload | None:
    """The pending upload of these bytes to this path, if there is one and nothing contradicts."""
    artifact = artifact_of_build(build=build, path=path)
    if artifact is not None:
        same_bytes(existing=artifact, digest=announced.digest)
        raise UploadInProgress(path=path, state="stored", artifact=artifact.pk)
    pending = Upload.objects.filter(build=build, path=path, state__in=PENDING).first()
    if pending is None:
        return None
    if (pending.declared_sha256, pending.size_bytes) != (
        announced.digest.hex,
        announced.size_bytes,
    ):
        raise UploadInProgress(
            path=path,
            state=pending.state,
            upload=pending.pk,
            declared_sha256=pending.declared_sha256,
            size_bytes=pending.size_bytes,
        )
    pending.build = build
    return pending


def _record(
    actor: Actor,
    found: Build,
    announced: Announced,
    begun: Begun,
    target: Target,
    *,
    now: datetime,
) -> Upload:
    with transaction.atomic(durable=True):
        build = build_held_together(found.pk)
        if build is None:
            raise BuildNotFound
        if build.state != BuildState.OPEN:
            raise BuildSealed(build=build.pk, state=build.state, sealed_at=build.sealed_at)
        build.project = found.project
        return Upload.objects.create(
            build=build,
            contribution=join_build(build=build, actor=actor, joined_at=now),
            path=announced.path,
            declared_sha256=announced.digest.hex,
            size_bytes=announced.size_bytes,
            part_bytes=plan(announced.size_bytes, part_bytes=target.part_bytes).part_bytes,
            key=begun.key,
            upload_id=begun.upload_id,
            started_by=actor.name,
            started_at=now,
            touched_at=now,
        )
