"""The trash: what was removed and can still be restored."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from artifacts.errors import ArtifactNotFound
from artifacts.models import Artifact, Project, RetentionPlan, TrashedArtifact
from artifacts.queries.protecting import PROTECTED
from artifacts.queries.seeing import of_projects_seen_by
from kernel.actor import Actor

MOST_PLANS: Final = 20
# What an artifact has, or the trash: no collector takes it.
HAS_USER: Final = Q(Exists(Artifact.objects.filter(blob=OuterRef("pk")))) | Q(
    Exists(TrashedArtifact.objects.filter(blob=OuterRef("pk")))
)
# What is protected stays as long as that: those behind it must not wait for it.
_DUE: Final = f"""
    SELECT artifact.id FROM trashed_artifact AS artifact
    WHERE artifact.restorable_until <= %s AND NOT ({PROTECTED})
    ORDER BY artifact.restorable_until, artifact.id LIMIT %s
    FOR UPDATE OF artifact SKIP LOCKED
"""  # noqa: S608 - words of our own


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


def lock_due(*, now: datetime, limit: int) -> list[UUID]:
    """What can be restored no longer, and nothing protects; locked until the commit."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [now, now, limit])
        return [row[0] for row in cursor.fetchall()]


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
