"""Withdraw a file from a build that is open: a job that is repeated may produce other bytes."""

import logging
from datetime import datetime
from uuid import UUID

from django.db import transaction

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.names import is_path
from artifacts.errors import ArtifactNotFound, BuildSealed
from artifacts.queries import artifact_of_build, own_build
from artifacts.queries.locking import held_build, holds_stand_still
from artifacts.queries.protecting import require_not_held
from kernel.actor import Actor
from kernel.audit.record import record

logger = logging.getLogger(__name__)


def withdraw_file(*, actor: Actor, build: UUID, path: str, now: datetime) -> None:
    """Take the path back, so that the build no longer has the file; its bytes stay for a while.

    Any of the build's jobs may: the one that brought the file may be over, and repeated as
    another. It waits for uploads to the build, and they for it; once the build is sealed, its
    files are fixed.

    Raises:
        BuildNotFound: there is no such build for this actor.
        Unauthenticated, PermissionMissing, BuildNotYours: the actor may not change it.
        BuildSealed: it is sealed.
        ArtifactNotFound: it has no file at this path; it may be withdrawn already.
        ArtifactHeld: a legal hold covers it.
    """
    own_build(actor=actor, build=build)
    with transaction.atomic(durable=True):
        held = held_build(build)
        if held.state != BuildState.OPEN:
            raise BuildSealed(build=build, state=held.state, sealed_at=held.sealed_at)
        artifact = artifact_of_build(build=held, path=path) if is_path(path) else None
        if artifact is None:
            raise ArtifactNotFound
        holds_stand_still()
        require_not_held(artifact, now=now)
        told = {
            "artifact": str(artifact.pk),
            "build": str(build),
            "sha256": artifact.blob.sha256,
            "size_bytes": artifact.blob.size_bytes,
            "brought_by": artifact.contribution.job,
        }
        artifact.delete()
        record(
            actor,
            "artifact.withdraw",
            f"{held.project}/{path}"[:500],
            now=now,
            organization=held.project.organization_id,
            **told,
        )
    logger.info("artifact withdrawn", extra={"project": str(held.project), **told})
