"""Yank: a project takes back what it published, and nobody who has it already is broken."""

from datetime import datetime

from django.db import transaction

from artifacts.domain.reasons import require_reason
from artifacts.models import Artifact, Build, Yank
from artifacts.queries.immutable import require_mutable
from artifacts.usecases.mark_artifacts import mark_artifacts
from kernel.actor import Actor, Permission
from kernel.audit.record import record


def yank_artifact(*, artifact: Artifact, reason: str, actor: Actor, now: datetime) -> Yank:
    """Hide it from lists and *latest*; who names its id or digest gets it, with a warning.

    A repeat changes nothing, and the first reason stays. `restore_artifact` takes it back.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the project.
        ReasonMissing: there is none.
        NameImmutable: a rule says that this name is never taken back.
    """
    actor.require(Permission.ADMINISTER, project=artifact.project_id)
    require_reason(reason)
    require_mutable(artifact)
    with transaction.atomic(durable=True):
        made = mark_artifacts(
            mark=Yank, artifacts=[artifact.pk], reason=reason, by=actor.name, now=now
        )
        if made:
            record(
                actor,
                "artifact.yank",
                f"{artifact.project}/{artifact.path}"[:500],
                now=now,
                organization=artifact.project.organization_id,
                artifact=str(artifact.pk),
                reason=reason,
            )
    return Yank.objects.get(pk=artifact.pk)


def yank_build(*, build: Build, reason: str, actor: Actor, now: datetime) -> int:
    """Yank every file of the build, or none; how many were not yet.

    Raises:
        As `yank_artifact`, of the first file that refuses.
    """
    actor.require(Permission.ADMINISTER, project=build.project_id)
    require_reason(reason)
    with transaction.atomic(durable=True):
        files = list(build.artifacts.select_related("project__organization").order_by("path"))
        for one in files:
            require_mutable(one)
        yanked = [one.pk for one in files]
        made = mark_artifacts(mark=Yank, artifacts=yanked, reason=reason, by=actor.name, now=now)
        record(
            actor,
            "build.yank",
            str(build.project),
            now=now,
            organization=build.project.organization_id,
            build=str(build.pk),
            artifacts=made,
            reason=reason,
        )
    return made
