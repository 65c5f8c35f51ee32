"""A project: its builds, the latest of each ref, who may publish; and its files by path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone
from django.views.decorators.http import require_safe

from access.queries import publishers_of
from artifacts.domain.lifecycle import BuildState
from artifacts.domain.visibility import require_read
from artifacts.queries import (
    BuildFilter,
    builds_after,
    visible_organization,
    visible_project,
)
from artifacts.queries.browsing import (
    newest_of_refs,
    project_cursor,
    project_position,
    projects_after,
)
from artifacts.queries.finding import artifacts_by_path, artifacts_with_digests
from artifacts.queries.positions import (
    build_cursor,
    build_position,
    file_cursor,
    file_position,
)
from console.answers import actor_of, page, show
from console.asking import asked, pages
from console.commands import push_from_ci
from console.words import RECORDED
from kernel.actor import Actor, Permission
from kernel.digest import Sha256
from kernel.rest import choice
from provenance.domain.transparency import Transparency, permitted
from provenance.queries import current_policy

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from artifacts.models import Artifact, Project

PAGE_PROJECTS: Final = 50
PAGE_BUILDS: Final = 30
PAGE_FILES: Final = 50
MOST_MATCHES: Final = 10
# The latest of each ref are looked for among so many of the newest builds, and so many are shown.
REFS_AMONG: Final = 200
MOST_REFS: Final = 8
_COMMIT: Final = re.compile(r"[0-9a-f]{4,64}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@require_safe
@page
def of_organization(request: HttpRequest, organization: str) -> HttpResponse:
    """The organization's projects that exist for whoever asks, by name."""
    actor = actor_of(request)
    found = visible_organization(actor=actor, organization=organization)
    given = asked(request, "cursor")
    projects = projects_after(
        project_position(given.get("cursor")),
        actor=actor,
        limit=PAGE_PROJECTS + 1,
        organization=found,
    )
    shown = projects[:PAGE_PROJECTS]
    content = {
        "organization": found,
        "projects": shown,
        "pages": pages(given, project_cursor(shown[-1]) if len(projects) > PAGE_PROJECTS else None),
    }
    return show(request, "console/organization.html", content)


@require_safe
@page
def project(request: HttpRequest, organization: str, project: str) -> HttpResponse:
    """Its builds, newest first, by ref, state and text."""
    actor = actor_of(request)
    place = _readable(actor, organization, project)
    given = asked(request, "cursor", "q", "ref", "state")
    state = choice(given, "state", BuildState)
    text = given.get("q", "")
    found = builds_after(
        build_position(given.get("cursor")),
        project=place,
        limit=PAGE_BUILDS + 1,
        wanted=BuildFilter(
            state=state,
            ref=given.get("ref"),
            **_builds_meant(text),  # type: ignore[arg-type] # two texts
        ),
    )
    shown = found[:PAGE_BUILDS]
    recorded = permitted(Transparency(place.transparency), is_public=place.is_public)
    may_administer = actor.may(Permission.ADMINISTER, project=place.pk)
    content = {
        "project": place,
        "builds": shown,
        "pages": pages(given, build_cursor(shown[-1]) if len(found) > PAGE_BUILDS else None),
        "given": given,
        "is_narrowed": bool(given.keys() - {"cursor"}),
        "states": [(one.value, one.value) for one in BuildState if one is not BuildState.OPEN],
        "matches": _files_meant(place, text),
        "latest": newest_of_refs(project=place, among=REFS_AMONG, limit=MOST_REFS),
        "refs_among": REFS_AMONG,
        "policy": current_policy(scope=place.scope),
        "recorded": RECORDED[recorded],
        "is_own": actor.may(Permission.OWN, project=place.pk),
        "publishers": publishers_of(place) if may_administer else None,
        "push": push_from_ci(store=settings.PUBLIC_URL, project=str(place)),
        "store": settings.PUBLIC_URL,
    }
    return show(request, "console/project.html", content)


@require_safe
@page
def files(request: HttpRequest, organization: str, project: str) -> HttpResponse:
    """Its files by path, the newest of a path first."""
    actor = actor_of(request)
    place = _readable(actor, organization, project)
    given = asked(request, "cursor", "prefix")
    found = artifacts_by_path(
        project=place,
        prefix=given.get("prefix", ""),
        after=file_position(given.get("cursor")),
        limit=PAGE_FILES + 1,
        now=timezone.now(),
    )
    shown = found[:PAGE_FILES]
    content = {
        "project": place,
        "files": shown,
        "is_own": actor.may(Permission.OWN, project=place.pk),
        "given": given,
        "pages": pages(given, file_cursor(shown[-1]) if len(found) > PAGE_FILES else None),
    }
    return show(request, "console/files.html", content)


def _readable(actor: Actor, organization: str, project: str) -> Project:
    place = visible_project(actor=actor, organization=organization, project=project)
    require_read(actor, project=place.pk, is_public=place.is_public)
    return place


def _builds_meant(text: str) -> dict[str, str]:
    """A commit by its first characters, else a build by its name."""
    if not text:
        return {}
    return {"commit_prefix": text} if _COMMIT.fullmatch(text) else {"name": text}


def _files_meant(place: Project, text: str) -> list[Artifact]:
    """Files whose path begins with the text, or that have this digest."""
    if not text:
        return []
    if _DIGEST.fullmatch(text):
        return artifacts_with_digests(
            project=place, digests=[Sha256(text)], limit=MOST_MATCHES, now=timezone.now()
        )
    return artifacts_by_path(
        project=place, prefix=text, after=None, limit=MOST_MATCHES, now=timezone.now()
    )
