"""Remove an artifact by a person's decision: into the trash, from where it can be restored."""

from datetime import datetime, timedelta

from django.db import transaction

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.reasons import require_reason
from artifacts.domain.retention import LEGAL_HOLD
from artifacts.errors import ArtifactKept, ArtifactNotFound, ArtifactNotPublished
from artifacts.models import Artifact, TrashedArtifact
from artifacts.queries.expiry import kept_from_removal
from artifacts.queries.immutable import require_mutable
from artifacts.queries.locking import holds_stand_still
from artifacts.queries.protecting import require_not_held
from artifacts.queries.retention import holder_of
from artifacts.queries.trash import trashed_seen_by
from artifacts.usecases.discard_artifacts import Removal, discard_artifacts
from kernel.actor import Actor, Permission
from kernel.audit.record import record


def remove_artifact(
    *, artifact: Artifact, reason: str, trash: timedelta, actor: Actor, now: datetime
) -> TrashedArtifact:
    """Take it out of everybody's reach; for as long as `trash` an owner can restore it.

    Keep always wins, also over persons: what a rule keeps stays until the rule is changed. Rules
    that count newer artifacts are a run's, and keep nothing here.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not own the project.
        ReasonMissing: there is none.
        ArtifactNotPublished: its build has not ended.
        NameImmutable: a rule says that this name is never taken back.
        ArtifactHeld, ArtifactKept: a hold, a use or a keep rule keeps it.
        ArtifactNotFound: somebody else was faster.
    """
    actor.require(Permission.OWN, project=artifact.project_id)
    require_reason(reason)
    require_mutable(artifact)
    if artifact.build.state not in (BuildState.PUBLISHED, BuildState.REFUSED):
        raise ArtifactNotPublished(artifact=artifact.pk, state=artifact.build.state)
    with transaction.atomic(durable=True):
        holds_stand_still()
        locked = Artifact.objects.select_for_update().filter(pk=artifact.pk)
        if not locked.exists():
            raise ArtifactNotFound
        _require_unkept(artifact, now=now)
        removal = Removal(actor.name, now, now + trash, reason=reason)
        discard_artifacts(removal=removal, ended={artifact.pk: None})
        record(
            actor,
            "artifact.remove",
            f"{artifact.project}/{artifact.path}"[:500],
            now=now,
            organization=artifact.project.organization_id,
            artifact=str(artifact.pk),
            sha256=artifact.blob.sha256,
            size_bytes=artifact.blob.size_bytes,
            reason=reason,
            restorable_until=removal.restorable_until.isoformat(),
        )
    return trashed_seen_by(actor, artifact=artifact.pk)


def _require_unkept(artifact: Artifact, *, now: datetime) -> None:
    decision = kept_from_removal(artifact, now=now)
    cited = decision.kept_by
    if cited is None or decision.is_expired(now=now):
        return
    if cited == LEGAL_HOLD:
        require_not_held(artifact, now=now)
    raise ArtifactKept(
        artifact=artifact.pk,
        rule=cited.name,
        level=cited.level.word,
        of=holder_of(cited, artifact.project),
        version=cited.version,
        kept_until=decision.expires_at,
    )
