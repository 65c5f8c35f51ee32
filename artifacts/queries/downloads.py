"""What the download log can be asked."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from artifacts.models import Download, Project


@dataclass(frozen=True, slots=True)
class DownloadFilter:
    """Which lines of a project's download log; what is None is not asked."""

    artifact: UUID | None = None
    sha256: str | None = None
    actor: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def downloads_after(
    position: tuple[datetime, UUID] | None,
    *,
    project: Project,
    limit: int,
    wanted: DownloadFilter,
) -> list[Download]:
    """The lines of the project's download log behind the position, newest first."""
    found = Download.objects.filter(project_id=project.pk)
    equal = {"artifact_id": wanted.artifact, "sha256": wanted.sha256, "actor": wanted.actor}
    found = found.filter(**{field: value for field, value in equal.items() if value is not None})
    if wanted.since is not None:
        found = found.filter(at__gte=wanted.since)
    if wanted.until is not None:
        found = found.filter(at__lt=wanted.until)
    if position is not None:
        at, line = position
        found = found.filter(Q(at__lte=at) & (Q(at__lt=at) | Q(at=at, id__gt=line)))
    return list(found.order_by("-at", "id")[:limit])
