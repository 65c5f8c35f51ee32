"""The trash: what was removed and can still be restored."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from artifacts.errors import ArtifactNotFound
from artifacts.models import Artifact, Project, RetentionPlan, TrashedArtifact
from artifacts.queries.protecting import PROTECTED, SHA256
from artifacts.queries.seeing import of_projects_seen_by
from kernel.actor import Actor
from provenance.queries import FIRST_ATTESTATION

MOST_PLANS: Final = 20
# What an artifact has, or the trash: no collector takes it.
HAS_USER: Final = Q(Exists(Artifact.objects.filter(blob=OuterRef("pk")))) | Q(
    Exists(TrashedArtifact.objects.filter(blob=OuterRef("pk")))
)
_EVIDENCE: Final = FIRST_ATTESTATION.format(
    project="artifact.project_id", build="artifact.build_id", sha256=SHA256, name="artifact.path"
)
_WAS_PUBLISHED: Final = (
    "(SELECT build.state = 'published' FROM build WHERE build.id = artifact.build_id)"
)
# What was published was attested; where nothing of that is kept, the bytes are all there is.
_IS_ATTESTED: Final = f"(NOT {_WAS_PUBLISHED} OR {_EVIDENCE} IS NOT NULL)"
_GOES: Final = f"NOT ({PROTECTED}) AND {_IS_ATTESTED}"
# What is protected stays as long as that: those behind it must not wait for it.
_DUE: Final = f"""
    SELECT artifact.id FROM trashed_artifact AS artifact
    WHERE artifact.removal_id IS NULL AND artifact.restorable_until <= %s AND {_GOES}
    ORDER BY artifact.restorable_until, artifact.id LIMIT %s
    FOR UPDATE OF artifact SKIP LOCKED
"""  # noqa: S608 - words of our own
_OF_REMOVAL: Final = f"""
    SELECT artifact.id, {_GOES} FROM trashed_artifact AS artifact
    WHERE artifact.removal_id = %s ORDER BY artifact.id FOR UPDATE OF artifact
"""  # noqa: S608 - as above
_WITHOUT_EVIDENCE: Final = f"""
    SELECT count(*) FROM trashed_artifact AS artifact
    WHERE artifact.removal_id IS NULL AND artifact.restorable_until <= %s AND NOT {_IS_ATTESTED}
"""  # noqa: S608 - as above
_SAME: Final = ", ".join(
    (
        *("project_id", "build_id", "origin", "path", "ref", "stored_at", "expired_at"),
        *("removed_at", "removed_by", "reason", "plan_id", "rule", "level", "scope_id", "version"),
    )
)
_BURY: Final = f"""
    WITH artifact AS (DELETE FROM trashed_artifact WHERE removal_id = %(removal)s RETURNING *)
    INSERT INTO tombstone (artifact_id, sha256, size_bytes, buried_at, attestation_id,
        was_published, evidence_id, {_SAME})
    SELECT artifact.id, {SHA256}, (SELECT size_bytes FROM blob WHERE blob.id = artifact.blob_id),
        %(now)s, %(attestation)s, {_WAS_PUBLISHED}, {_EVIDENCE}, {_SAME} FROM artifact
"""  # noqa: S608 - as above


def trashed_seen_by(actor: Actor, *, artifact: UUID) -> TrashedArtifact:
    """What is in the trash under this id, with blob and project.

    Raises:
        ArtifactNotFound: there is no such thing in it, or none that exists for this actor.
    """
    found = _loaded().filter(of_projects_seen_by(actor), pk=artifact).first()
    if found is None:
        raise ArtifactNotFound
    return found


def trash_after(
    position: tuple[datetime, UUID] | None, *, project: Project, limit: int
) -> list[TrashedArtifact]:
    """What is in the project's trash behind the position, what was removed last first."""
    found = _loaded().filter(project=project)
    if position is not None:
        at, artifact = position
        found = found.filter(Q(removed_at__lte=at) & (Q(removed_at__lt=at) | Q(pk__gt=artifact)))
    return list(found.order_by("-removed_at", "id")[:limit])


def plans_in_trash(project: Project) -> list[tuple[RetentionPlan, int]]:
    """The plans that took what is in the project's trash, the newest first; each with how much."""
    found = RetentionPlan.objects.filter(trashedartifact__project=project)
    counted = found.annotate(files=Count("trashedartifact")).order_by("-made_at", "id")
    return [(plan, plan.files) for plan in counted[:MOST_PLANS]]


def lock_due(*, now: datetime, limit: int) -> list[TrashedArtifact]:
    """What can be restored no longer, nothing protects and no removal names; until the commit."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [now, now, limit])
        ids = [row[0] for row in cursor.fetchall()]
    return list(_loaded().filter(pk__in=ids).order_by("project_id", "build_id", "path"))


def lock_removal(removal: UUID, *, now: datetime) -> list[bool]:
    """Of each file of a removal that is still in the trash, whether it goes; until the commit."""
    with connection.cursor() as cursor:
        cursor.execute(_OF_REMOVAL, [now, removal])
        return [goes for _artifact, goes in cursor.fetchall()]


def bury(removal: UUID, *, attestation: UUID, now: datetime) -> None:
    """Turn every file of a removal into a tombstone, by one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_BURY, {"removal": removal, "attestation": attestation, "now": now})


def removals_without_evidence(*, now: datetime) -> int:
    """How much could go, was published, and has no attestation that is kept: so it stays."""
    with connection.cursor() as cursor:
        cursor.execute(_WITHOUT_EVIDENCE, [now])
        row = cursor.fetchone()
    return int(row[0]) if row is not None else 0


def is_restorable(trashed: TrashedArtifact, *, now: datetime) -> bool:
    """Whether its window is open, or something protects it."""
    if now < trashed.restorable_until:
        return True
    protected = f"SELECT {PROTECTED} FROM trashed_artifact AS artifact WHERE artifact.id = %s"  # noqa: S608 - as above
    with connection.cursor() as cursor:
        cursor.execute(protected, [now, trashed.pk])
        row = cursor.fetchone()
    return row is not None and bool(row[0])


def _loaded() -> QuerySet[TrashedArtifact]:
    return TrashedArtifact.objects.select_related("blob", "build", "project__organization")
