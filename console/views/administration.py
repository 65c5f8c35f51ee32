"""What somebody may administer: the store, organizations, projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.views.decorators.http import require_safe

from artifacts.queries.browsing import (
    owned_organizations,
    owned_projects,
    project_cursor,
    project_position,
)
from artifacts.queries.retention import Holder
from console.administration import TABS, Link, Place, members_only, require_some
from console.answers import show
from console.asking import asked, pages
from kernel.actor import Permission

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from kernel.actor import Actor

PAGE_PROJECTS: Final = 50
MOST_ORGANIZATIONS: Final = 200


@require_safe
@members_only
def overview(request: HttpRequest, actor: Actor) -> HttpResponse:
    """The places of whoever asks, each with its pages; projects by name, page by page."""
    require_some(actor)
    given = asked(request, "cursor", "organization")
    projects = owned_projects(
        project_position(given.get("cursor")),
        actor=actor,
        organization=given.get("organization", ""),
        limit=PAGE_PROJECTS + 1,
    )
    shown = projects[:PAGE_PROJECTS]
    more = project_cursor(shown[-1]) if len(projects) > PAGE_PROJECTS else None
    organizations = owned_organizations(actor=actor, limit=MOST_ORGANIZATIONS)
    administers_all = actor.may(Permission.ADMINISTER, project=None)
    content = {
        "store": [_ways(Holder.instance(), actor)] if administers_all else [],
        "organizations": [_ways(Holder.of_organization(one), actor) for one in organizations],
        "projects": [_ways(Holder.of_project(one), actor) for one in shown],
        "is_first": "cursor" not in given,
        "given": given,
        "pages": pages(given, more),
    }
    return show(request, "console/administration/overview.html", content)


def _ways(holder: Holder, actor: Actor) -> tuple[str, list[Link]]:
    """The place's name, and its pages."""
    place = Place.of(holder, actor=actor)
    tabs = [one for one in TABS if place.holder.level in one.levels]
    return holder.name, [Link(one.label, place.url(one.name)) for one in tabs]
