"""What people look around with: the projects that exist for them, and the newest of each ref."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db import connection
from django.db.models import Q

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.names import is_slug
from artifacts.models import Build, Organization, Project
from artifacts.queries import IS_LISTED, organizations_seen_by, projects_seen_by
from artifacts.queries.positions import decode_cursor, encode_cursor
from kernel.actor import Actor, Permission


@dataclass(frozen=True, slots=True)
class ProjectPosition:
    """A project's place among those that exist for somebody: by organization and slug."""

    organization: str
    project: str


def project_position(cursor: str | None) -> ProjectPosition | None:
    """A place in a list of projects.

    Raises:
        MalformedRequest: it is no cursor of ours.
    """
    parts = decode_cursor(cursor, _slug, _slug)
    return ProjectPosition(*parts) if parts is not None else None


def project_cursor(project: Project) -> str:
    """The place behind this project."""
    return encode_cursor(project.organization.slug, project.slug)


def projects_after(
    position: ProjectPosition | None,
    *,
    actor: Actor,
    limit: int,
    organization: Organization | None = None,
) -> Sequence[Project]:
    """The projects that exist for the actor (of one organization, or all), behind the position."""
    found = projects_seen_by(actor)
    if organization is not None:
        found = found.filter(organization=organization)
    return list(found.filter(_behind(position))[:limit])


def owned_projects(
    position: ProjectPosition | None, *, actor: Actor, organization: str, limit: int
) -> Sequence[Project]:
    """The projects that the actor decides about (of the organization of this slug, or all)."""
    found = projects_seen_by(actor).filter(_behind(position))
    if organization:
        found = found.filter(organization__slug=organization)
    if not actor.may(Permission.ADMINISTER, project=None):
        grants = (one for one in actor.grants if one.permission is Permission.OWN)
        owned = {one.project for one in grants if one.project is not None}
        found = found.filter(pk__in=owned)
    return list(found[:limit])


def owned_organizations(*, actor: Actor, limit: int) -> Sequence[Organization]:
    """The organizations that the actor decides about, by slug."""
    found = organizations_seen_by(actor)
    if not actor.may(Permission.ADMINISTER, project=None):
        grants = actor.organization_grants
        owned = {one.organization for one in grants if one.permission is Permission.OWN}
        found = found.filter(pk__in=owned)
    return list(found[:limit])


# The window is over a bounded number of the newest builds; Django would put the limit outside.
_NEWEST_OF_REFS: Final = f"""
    SELECT id FROM (
        SELECT DISTINCT ON (ref) id, opened_at FROM (
            SELECT id, ref, opened_at, state FROM build
            WHERE project_id = %s AND state <> %s ORDER BY opened_at DESC, id LIMIT %s
        ) AS build
        WHERE ref <> '' AND state = %s AND {IS_LISTED}
        ORDER BY ref, opened_at DESC, id
    ) AS of_refs ORDER BY opened_at DESC, id LIMIT %s
"""  # noqa: S608 - a constant of ours


def newest_of_refs(*, project: Project, among: int, limit: int) -> Sequence[Build]:
    """The newest published build of each ref among so many of the newest builds, newest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            _NEWEST_OF_REFS,
            [project.pk, BuildState.OPEN.value, among, BuildState.PUBLISHED.value, limit],
        )
        ids = [row[0] for row in cursor.fetchall()]
    return list(Build.objects.filter(pk__in=ids).order_by("-opened_at", "id"))


def _behind(position: ProjectPosition | None) -> Q:
    if position is None:
        return Q()
    later = Q(organization__slug__gt=position.organization)
    same = Q(organization__slug=position.organization, slug__gt=position.project)
    return Q(organization__slug__gte=position.organization) & (later | same)


def _slug(text: str) -> str:
    if not is_slug(text):
        raise ValueError(text)
    return text
