"""Restore: out of the trash, and out of a yank."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from artifacts.domain.declarations import Kind, identity
from artifacts.domain.reasons import require_reason
from artifacts.errors import ArtifactNotFound, QuotaExceeded
from artifacts.models import Artifact, Build, DeclaredUse, TrashedArtifact, Yank
from artifacts.queries.trash import is_restorable
from artifacts.usecases.count_use import count_use, is_limited, limited
from artifacts.usecases.discard_artifacts import copied
from artifacts.usecases.mark_artifacts import unmark_artifacts
from artifacts.usecases.recount_use import recount_use
from kernel.actor import Actor, Permission
from kernel.audit.record import record


@dataclass(frozen=True, slots=True)
class Restoring:
    """Why something is restored, and for how long no rule takes it away again."""

    reason: str
    kept_for: timedelta


def restore_trashed(
    *, trashed: TrashedArtifact, restoring: Restoring, actor: Actor, now: datetime
) -> Artifact:
    """Put it back as it was, with its id; nobody has its bytes or its name meanwhile.

    The rule that took it away would do so again: so it counts as in use for a while.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not own the project.
        ReasonMissing: there is none.
        ArtifactNotFound: its window is over, or somebody else was faster.
        QuotaExceeded: the organization or the project has as much as it may have.
    """
    actor.require(Permission.OWN, project=trashed.project_id)
    require_reason(restoring.reason)
    try:
        return _restore(trashed, restoring, actor, now=now)
    except QuotaExceeded:
        # What went since the last recount is still counted, and may be this very artifact.
        found_wrong = [
            recount_use(subject=subject, now=now)
            for subject, _quota in limited(project=trashed.project)
        ]
        if not any(found_wrong):
            raise
    return _restore(trashed, restoring, actor, now=now)


def put_back(
    *, trashed: Sequence[TrashedArtifact], restoring: Restoring, by: str, now: datetime
) -> list[Artifact]:
    """Let rows of the trash, which the caller has locked, be artifacts again. Joins.

    Raises:
        QuotaExceeded: there is no room for all of them.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("put_back joins a transaction")
    restored = [_artifact(one) for one in trashed]
    if not any(is_limited(project=project) for project in {one.project for one in restored}):
        Artifact.objects.bulk_create(restored)
    else:
        # One by one: whether bytes are new is asked of what is there before each.
        for artifact in restored:
            artifact.save(force_insert=True)
            count_use(artifact=artifact, has_new_bytes=False, now=now)
    TrashedArtifact.objects.filter(pk__in=[one.pk for one in trashed]).delete()
    _keep_a_while(restored, restoring, by, now=now)
    return restored


def unyank_artifact(*, artifact: Artifact, reason: str, actor: Actor, now: datetime) -> None:
    """Show it again in lists and *latest*. A repeat changes nothing.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the project.
        ReasonMissing: there is none.
    """
    actor.require(Permission.ADMINISTER, project=artifact.project_id)
    require_reason(reason)
    with transaction.atomic(durable=True):
        if unmark_artifacts(mark=Yank, artifacts=[artifact.pk]):
            _tell(actor, "artifact.unyank", artifact, reason, now=now)


def unyank_build(*, build: Build, reason: str, actor: Actor, now: datetime) -> int:
    """The same for every file of the build; how many were yanked.

    Raises:
        As `unyank_artifact`.
    """
    actor.require(Permission.ADMINISTER, project=build.project_id)
    require_reason(reason)
    with transaction.atomic(durable=True):
        gone = unmark_artifacts(mark=Yank, artifacts=[one.pk for one in build.artifacts.all()])
        record(
            actor,
            "build.unyank",
            str(build.project),
            now=now,
            organization=build.project.organization_id,
            build=str(build.pk),
            artifacts=gone,
            reason=reason,
        )
    return gone


def _restore(
    trashed: TrashedArtifact, restoring: Restoring, actor: Actor, *, now: datetime
) -> Artifact:
    with transaction.atomic(durable=True):
        locked = TrashedArtifact.objects.select_for_update().filter(pk=trashed.pk)
        if not locked.exists() or not is_restorable(trashed, now=now):
            raise ArtifactNotFound
        [artifact] = put_back(trashed=[trashed], restoring=restoring, by=actor.name, now=now)
        _tell(actor, "artifact.restore", artifact, restoring.reason, now=now)
    return artifact


def _artifact(trashed: TrashedArtifact) -> Artifact:
    artifact = Artifact(**copied(row=trashed))
    artifact.project, artifact.blob, artifact.build = trashed.project, trashed.blob, trashed.build
    return artifact


def _keep_a_while(
    artifacts: Sequence[Artifact], restoring: Restoring, by: str, *, now: datetime
) -> None:
    declared = []
    for one in artifacts:
        document = {"artifact": str(one.pk), "status": "restored", "reason": restoring.reason}
        declared.append(
            DeclaredUse(
                project=one.project,
                kind=Kind.RESTORING,
                identity=identity(Kind.RESTORING, document),
                sha256=one.blob.sha256,
                document=document,
                protects=True,
                ends_at=now + restoring.kept_for,
                declared_at=now,
                declared_by=by,
            )
        )
    DeclaredUse.objects.bulk_create(
        declared,
        update_conflicts=True,
        unique_fields=["project", "kind", "identity"],
        update_fields=["sha256", "document", "protects", "ends_at", "declared_at", "declared_by"],
    )


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
