"""What was declared to be in use."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from artifacts.domain.declarations import Kind
from artifacts.models import DeclaredUse, Project


def uses_after(
    position: tuple[datetime, UUID] | None,
    *,
    project: Project,
    kind: Kind | None,
    sha256: str | None,
    limit: int,
) -> list[DeclaredUse]:
    """The project's declarations behind the position, what was said last first."""
    found = DeclaredUse.objects.filter(project=project)
    if kind is not None:
        found = found.filter(kind=kind)
    if sha256 is not None:
        found = found.filter(sha256=sha256)
    if position is not None:
        at, one = position
        found = found.filter(Q(declared_at__lte=at) & (Q(declared_at__lt=at) | Q(id__gt=one)))
    return list(found.order_by("-declared_at", "id")[:limit])
