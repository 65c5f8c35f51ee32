"""Restore: out of the trash, and out of a yank."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from artifacts.domain.declarations import Kind, identity
from artifacts.domain.reasons import require_reason
from artifacts.errors import ArtifactNotFound, QuotaExceeded
from artifacts.models import Artifact, Build, Project, TrashedArtifact, Yank
from artifacts.queries.trash import is_restorable
from artifacts.usecases.count_use import count_use, is_limited, limited
from artifacts.usecases.discard_artifacts import columns_alike
from artifacts.usecases.mark_artifacts import unmark_artifacts
from artifacts.usecases.recount_use import recount_use
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from kernel.connections import joins_transaction

# As one statement: a bulk action gives hundreds of thousands back, a batch at a time. That the rule
# may not take one again at once is a declaration, which a repeat says anew.
_PUT_BACK: Final = """
    WITH wanted AS (
        SELECT * FROM unnest(%(ids)s::uuid[], %(identities)s::text[], %(documents)s::text[])
            AS wanted (wanted_id, identity, document)
    ), gone AS (
        DELETE FROM trashed_artifact USING wanted WHERE trashed_artifact.id = wanted_id
        RETURNING trashed_artifact.*, identity, document
    ), back AS (
        INSERT INTO artifact ({columns}) SELECT {columns} FROM gone
    )
    INSERT INTO declared_use (id, project_id, kind, identity, sha256, document, protects, ends_at,
        declared_at, declared_by)
    SELECT gen_random_uuid(), gone.project_id, %(kind)s, identity, blob.sha256, document::jsonb,
        true, %(ends_at)s, %(now)s, %(by)s
    FROM gone JOIN blob ON blob.id = gone.blob_id
    ON CONFLICT (project_id, kind, identity) DO UPDATE SET sha256 = excluded.sha256,
        document = excluded.document, protects = excluded.protects, ends_at = excluded.ends_at,
        declared_at = excluded.declared_at, declared_by = excluded.declared_by
"""


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
    *, artifacts: Sequence[UUID], project: Project, restoring: Restoring, by: str, now: datetime
) -> None:
    """Let rows of the project's trash, which the caller has locked, be artifacts again. Joins.

    Raises:
        QuotaExceeded: there is no room for all of them.
    """
    joins_transaction("put_back")
    if not is_limited(project=project):
        _move(artifacts, restoring, by, now=now)
        return
    # One by one: whether bytes are new is asked of what is there before each.
    for one in artifacts:
        _move([one], restoring, by, now=now)
        count_use(artifact=_artifact(one), has_new_bytes=False, now=now)


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
        project = trashed.project
        put_back(
            artifacts=[trashed.pk], project=project, restoring=restoring, by=actor.name, now=now
        )
        artifact = _artifact(trashed.pk)
        _tell(actor, "artifact.restore", artifact, restoring.reason, now=now)
    return artifact


def _move(artifacts: Sequence[UUID], restoring: Restoring, by: str, *, now: datetime) -> None:
    documents = [
        {"artifact": str(one), "status": "restored", "reason": restoring.reason}
        for one in artifacts
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            _PUT_BACK.format(columns=columns_alike()),
            {
                "ids": list(artifacts),
                "identities": [identity(Kind.RESTORING, one) for one in documents],
                "documents": [json.dumps(one) for one in documents],
                "kind": Kind.RESTORING.value,
                "ends_at": now + restoring.kept_for,
                "now": now,
                "by": by,
            },
        )


def _artifact(artifact: UUID) -> Artifact:
    found = Artifact.objects.select_related("project__organization", "build", "blob")
    return found.get(pk=artifact)


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
