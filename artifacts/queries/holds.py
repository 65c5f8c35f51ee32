"""Legal holds, for the owners of what they are about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from artifacts.domain.holds import HoldNotFound, HoldState
from artifacts.models import Hold
from artifacts.queries.retention import Holder, of_projects_owned_by, projects_below
from kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class HoldFilter:
    """Which holds; what is None is not asked."""

    state: HoldState | None = None
    artifact: UUID | None = None
    build: UUID | None = None


def visible_hold(*, actor: Actor, hold: UUID) -> Hold:
    """The hold with its project, for an owner of that.

    Raises:
        HoldNotFound: there is none, or it does not exist for this actor.
    """
    # In the query, whoever asks: how long the answer takes tells nothing either.
    found = _loaded().filter(of_projects_owned_by(actor), pk=hold).first()
    if found is None:
        raise HoldNotFound
    return found


def holds_after(
    position: tuple[datetime, UUID] | None,
    *,
    holder: Holder,
    wanted: HoldFilter,
    limit: int,
    now: datetime,
) -> list[Hold]:
    """The holds of what is below the holder, behind the position, newest first."""
    found = _loaded().filter(project__in=projects_below(holder).order_by().values("pk"))
    match wanted.state:
        case HoldState.ACTIVE:
            found = found.filter(Q(ends_at=None) | Q(ends_at__gt=now), lifting=None)
        case HoldState.LIFTED:
            found = found.exclude(lifting=None)
        case HoldState.ENDED:
            found = found.filter(lifting=None, ends_at__lte=now)
        case None:
            pass
    if wanted.artifact is not None:
        found = found.filter(artifact_id=wanted.artifact)
    if wanted.build is not None:
        found = found.filter(build_id=wanted.build)
    if position is not None:
        at, hold = position
        found = found.filter(Q(placed_at__lte=at) & (Q(placed_at__lt=at) | Q(id__gt=hold)))
    return list(found.order_by("-placed_at", "id")[:limit])


def covers_of(hold: Hold) -> dict[str, str | None]:
    """What it covers, in JSON; all null is the whole project."""
    return {
        "artifact": str(hold.artifact_id) if hold.artifact_id is not None else None,
        "build": str(hold.build_id) if hold.build_id is not None else None,
        "paths": hold.paths,
    }


def _loaded() -> QuerySet[Hold]:
    found = Hold.objects.select_related("project__organization", "lifting")
    return found.prefetch_related("consents")
