"""Place a legal hold: nothing that it covers goes while it stands, whatever policies say."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from artifacts.domain.holds import HoldMalformed, Reach
from artifacts.domain.patterns import broken_by
from artifacts.domain.reasons import require_reason
from artifacts.events import HoldsChanged
from artifacts.models import Artifact, Build, Hold, Project, Tombstone, TrashedArtifact
from artifacts.queries.holds import covers_of
from artifacts.queries.locking import holds_change
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from kernel.outbox.emit import emit


@dataclass(frozen=True, slots=True)
class Holding:
    """What shall be held, why, and until when; without an end until it is lifted."""

    reach: Reach
    reason: str
    ends_at: datetime | None = None


def place_hold(*, project: Project, holding: Holding, actor: Actor, now: datetime) -> Hold:
    """Hold bytes and evidence of what is covered, also of what comes later. One owner is enough.

    The same again, by the same actor, is the hold that stands.

    What a retention run is about to take is spared; what is in the trash stays there, and can be
    restored, until the hold is lifted.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not own the project.
        ReasonMissing: there is none.
        HoldMalformed: it covers nothing that is there, or ends before it begins.
    """
    actor.require(Permission.OWN, project=project.pk)
    _check(project, holding, now=now)
    reach = holding.reach
    said: dict[str, Any] = {
        "project": project,
        "artifact_id": reach.artifact,
        "build_id": reach.build,
        "paths": reach.paths.text if reach.paths is not None else None,
        "expression": reach.paths.expression if reach.paths is not None else None,
        "reason": holding.reason,
        "ends_at": holding.ends_at,
        "placed_by": actor.name,
    }
    with transaction.atomic(durable=True):
        holds_change()
        standing = Hold.objects.filter(**said, lifting=None).first()
        if standing is not None:
            return standing
        hold = Hold.objects.create(**said, placed_at=now)
        emit(HoldsChanged(hold_id=hold.pk), now=now)
        record(
            actor,
            "hold.place",
            str(project),
            now=now,
            organization=project.organization_id,
            hold=str(hold.pk),
            covers=covers_of(hold),
            reason=hold.reason,
            ends_at=hold.ends_at.isoformat() if hold.ends_at is not None else None,
        )
    return hold


def _check(project: Project, holding: Holding, *, now: datetime) -> None:
    reach = holding.reach
    require_reason(holding.reason)
    if holding.ends_at is not None and holding.ends_at <= now:
        raise HoldMalformed(field="ends_at", expected="a time to come")
    if [reach.artifact, reach.build, reach.paths].count(None) < 2:  # noqa: PLR2004 - of three
        raise HoldMalformed(field="covers", expected="one of artifact, build and paths, or none")
    if reach.paths is not None and (rule := broken_by(reach.paths.text)):
        raise HoldMalformed(field="paths", expected=rule)
    if reach.build is not None and not _has_build(project, reach.build):
        raise HoldMalformed(field="build", expected="a build of this project")
    if reach.artifact is not None and not _has_artifact(project, reach.artifact):
        raise HoldMalformed(field="artifact", expected="an artifact of this project")


def _has_build(project: Project, build: UUID) -> bool:
    return Build.objects.filter(project=project, pk=build).exists()


def _has_artifact(project: Project, artifact: UUID) -> bool:
    """Of what is gone for good its evidence is left, and held."""
    return any(
        one.objects.filter(project=project, pk=artifact).exists()
        for one in (Artifact, TrashedArtifact, Tombstone)
    )
