"""The front page, and what this store claims."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.queries import memberships_of, place_of
from artifacts.queries.browsing import project_cursor, project_position, projects_after
from console.answers import actor_of, page, show
from console.asking import asked, pages
from console.views.projects import PAGE_PROJECTS
from console.words import LADDER, level_name
from kernel.actor import Permission
from provenance.domain.builders import release_attestor_id
from provenance.domain.platforms import FORMS, build_type
from provenance.queries import trust_map, trust_state
from provenance.wiring import judge


@require_safe
@page
def home(request: HttpRequest) -> HttpResponse:
    """What exists for whoever asks: one's own places first, then every project by name."""
    actor = actor_of(request)
    given = asked(request, "cursor")
    found = projects_after(
        project_position(given.get("cursor")), actor=actor, limit=PAGE_PROJECTS + 1
    )
    shown = found[:PAGE_PROJECTS]
    more = project_cursor(shown[-1]) if len(found) > PAGE_PROJECTS else None
    places = [
        (place_of(one), one.role)
        for one in (memberships_of(actor.person) if actor.person is not None else ())
    ]
    content = {
        "projects": shown,
        "pages": pages(given, more),
        "places": places,
        "sees_all": actor.may(Permission.ADMINISTER, project=None),
        "is_first": "cursor" not in given,
    }
    return show(request, "console/home.html", content)


@require_safe
@page
def about(request: HttpRequest) -> HttpResponse:
    """The levels, the builders with the most that each may claim, and the store's addresses."""
    granted = trust_map(
        version=trust_state().trust_map_version, key_is_shared=judge().key_is_shared
    )
    content = {
        "store": settings.PUBLIC_URL,
        "ladder": LADDER,
        "builders": [(who, level_name(granted.most(who))) for who in sorted(granted.levels)],
        "key_is_shared": granted.key_is_shared,
        "build_types": [build_type(form, base_url=settings.PUBLIC_URL) for form in FORMS.values()],
        "release_attestor": release_attestor_id(base_url=settings.PUBLIC_URL),
    }
    return show(request, "console/about.html", content)
