"""Complete a build: name the files that it should have, and seal it if it has them (step 4)."""

import logging
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.sealing import MOST_SHOWN, compare
from artifacts.errors import BuildDiffers, BuildEmpty, BuildSealed, UploadsPending
from artifacts.models import Build
from artifacts.queries import artifacts_of, own_build
from artifacts.queries.locking import held_build
from artifacts.queries.uploads import pending_uploads
from artifacts.usecases.seal_build import seal_build
from kernel import faults
from kernel.actor import Actor
from kernel.audit.record import record
from kernel.digest import Sha256

logger = logging.getLogger(__name__)


def complete_build(
    *, actor: Actor, build: UUID, expected: Mapping[str, Sha256], now: datetime
) -> Build:
    """Seal the build with exactly these files, and ask for its provenance.

    An upload that was acknowledged counts, whichever job it came from; one that has not been
    recorded yet is refused from now on. Sealing again with the same files changes nothing.

    Raises:
        BuildNotFound: there is no such build for this actor.
        Unauthenticated, PermissionMissing, BuildNotYours: the actor may not seal it.
        BuildDiffers: its files are not these; it stays open.
        UploadsPending: direct uploads are on their way to it; it stays open.
        BuildEmpty: it has no files, and should have none.
        BuildSealed: it was sealed with others.
    """
    own_build(actor=actor, build=build)
    with transaction.atomic(durable=True):
        sealed = held_build(build)
        _require_no_pending(sealed)
        artifacts = artifacts_of(sealed)
        stored = {artifact.path: Sha256(artifact.blob.sha256) for artifact in artifacts}
        difference = compare(expected, stored)
        if sealed.state != BuildState.OPEN:
            if difference:
                raise BuildSealed(
                    build=build, sealed_at=sealed.sealed_at, state=sealed.state, **difference.facts
                )
            return sealed
        if difference:
            raise BuildDiffers(build=build, **difference.facts)
        if not stored:
            raise BuildEmpty(build=build)
        seal_build(build=sealed, actor=actor, now=now)
        record(
            actor,
            "build.seal",
            str(sealed.project),
            now=now,
            organization=sealed.project.organization_id,
            build=str(build),
            files=len(stored),
            before={"state": BuildState.OPEN.value},
            after={"state": BuildState.SEALED.value},
        )
        faults.reach("artifacts.sealing")
    faults.reach("artifacts.sealed")
    logger.info("build sealed", extra={"build": str(build), "files": len(stored)})
    return sealed


def _require_no_pending(build: Build) -> None:
    """Each holds its build open until it was measured or given up; sealed ones have none."""
    pending = pending_uploads(build)
    if pending:
        raise UploadsPending(
            build=build.pk,
            count=len(pending),
            uploads=[
                {"upload": str(one.pk), "path": one.path, "state": one.state}
                for one in pending[:MOST_SHOWN]
            ],
        )
