"""Quarantine: nobody gets the bytes, until an administrator has looked and says otherwise."""

from datetime import datetime

from django.db import transaction

from artifacts.domain.reasons import require_reason
from artifacts.models import Artifact, Quarantine
from artifacts.usecases.mark_artifacts import mark_artifacts, unmark_artifacts
from kernel.actor import Actor, Permission
from kernel.audit.record import record


def quarantine_artifact(
    *, artifact: Artifact, reason: str, actor: Actor, now: datetime
) -> Quarantine:
    """Refuse every download of it from now on. A repeat changes nothing.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the project.
        ReasonMissing: there is none.
    """
    actor.require(Permission.ADMINISTER, project=artifact.project_id)
    require_reason(reason)
    with transaction.atomic(durable=True):
        is_new = mark_artifacts(
            mark=Quarantine, artifacts=[artifact.pk], reason=reason, by=actor.name, now=now
        )
        if is_new:
            _tell(actor, "artifact.quarantine", artifact, reason, now=now)
    return Quarantine.objects.get(pk=artifact.pk)


def release_artifact(*, artifact: Artifact, reason: str, actor: Actor, now: datetime) -> None:
    """Hand it out again, as its project's policy says. A repeat changes nothing.

    Raises:
        As `quarantine_artifact`.
    """
    actor.require(Permission.ADMINISTER, project=artifact.project_id)
    require_reason(reason)
    with transaction.atomic(durable=True):
        if unmark_artifacts(mark=Quarantine, artifacts=[artifact.pk]):
            _tell(actor, "artifact.release", artifact, reason, now=now)


def _tell(actor: Actor, action: str, artifact: Artifact, reason: str, *, now: datetime) -> None:
    record(
        actor,
        action,
        f"{artifact.project}/{artifact.path}"[:500],
        now=now,
        organization=artifact.project.organization_id,
        artifact=str(artifact.pk),
        reason=reason,
    )
