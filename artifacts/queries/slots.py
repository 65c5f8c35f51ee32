"""A path of a build or of a project, as an upload to it finds it: each time by one statement.

A build of 10,000 files asks all of this 10,000 times.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection

from artifacts.domain.file_counts import Counted
from artifacts.domain.names import is_path, is_slug
from artifacts.errors import BuildNotFound, ProjectNotFound
from artifacts.models import (
    Artifact,
    Blob,
    Build,
    Organization,
    Project,
    Tombstone,
    TrashedArtifact,
)
from artifacts.queries import Place, require_own
from artifacts.queries.retention import holders_above
from artifacts.queries.seeing import SEEN, seen_by
from kernel.actor import Actor
from kernel.rows import Joined, Row


@dataclass(frozen=True, slots=True)
class FoundSlot:
    """The build with its project, and what stands at the path already, if anything does.

    What was seen are transactions below `below_transaction`, as PostgreSQL numbers them.
    `has_policies` is whether retention policies hold; taken for granted where nobody asked.
    """

    build: Build
    artifact: Artifact | None
    below_transaction: int
    has_policies: bool = True


@dataclass(frozen=True, slots=True)
class FoundName:
    """The project, and who has the name in it, or had it until it was removed."""

    project: Project
    artifact: Artifact | None
    gone: Tombstone | TrashedArtifact | None


@dataclass(frozen=True, slots=True)
class GivenName:
    """Who had the name, if anybody did, and whether retention policies hold."""

    gone: Tombstone | TrashedArtifact | None
    has_policies: bool


_BELOW: Final = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
_HAS_POLICIES: Final = (
    "EXISTS (SELECT FROM retention_policy WHERE scope_id = ANY(%(scopes)s::uuid[]))"
)
_AT_PATH: Final = "LEFT JOIN artifact ON artifact.build_id = build.id AND artifact.path = %(path)s"
_OWN: Final = Joined(
    f"""
    SELECT {{build}}, {{project}}, {{organization}}, {{artifact}}, {_BELOW}
    FROM build
    JOIN project ON project.id = build.project_id
    JOIN organization ON organization.id = project.organization_id
    {_AT_PATH}
    WHERE build.id = %(build)s AND {SEEN}
    """,  # noqa: S608 - made of our own words
    build=Build,
    project=Project,
    organization=Organization,
    artifact=Artifact,
)
# Django's ORM cannot say FOR SHARE.
_HELD: Final = Joined(
    f"""
    SELECT {{build}}, {{artifact}}, {_BELOW}, {_HAS_POLICIES}
    FROM build {_AT_PATH}
    WHERE build.id = %(build)s FOR SHARE OF build
    """,  # noqa: S608 - as above
    build=Build,
    artifact=Artifact,
)
# Whose name it was before it was removed: at most one of the two has it.
_GONE: Final = """
    LEFT JOIN tombstone ON tombstone.project_id = project.id
        AND tombstone.origin = %(origin)s AND tombstone.path = %(path)s
    LEFT JOIN trashed_artifact ON trashed_artifact.project_id = project.id
        AND trashed_artifact.origin = %(origin)s AND trashed_artifact.path = %(path)s
"""
_NAMED: Final = Joined(
    f"""
    SELECT {{project}}, {{organization}}, {{artifact}}, {{build}}, {{blob}},
        {{tombstone}}, {{trashed_artifact}}
    FROM project
    JOIN organization ON organization.id = project.organization_id
    LEFT JOIN artifact ON artifact.project_id = project.id
        AND artifact.origin = %(origin)s AND artifact.path = %(path)s
    LEFT JOIN build ON build.id = artifact.build_id
    {_GONE}
    LEFT JOIN blob ON blob.id = COALESCE(artifact.blob_id, trashed_artifact.blob_id)
    WHERE organization.slug = %(organization)s AND project.slug = %(project)s AND {SEEN}
    """,  # noqa: S608 - as above
    project=Project,
    organization=Organization,
    artifact=Artifact,
    build=Build,
    blob=Blob,
    tombstone=Tombstone,
    trashed_artifact=TrashedArtifact,
)
_GIVEN: Final = Joined(
    f"""
    SELECT {{tombstone}}, {{trashed_artifact}}, {{blob}}, {_HAS_POLICIES}
    FROM (SELECT %(project)s::uuid AS id) AS project
    {_GONE}
    LEFT JOIN blob ON blob.id = trashed_artifact.blob_id
    """,  # noqa: S608 - as above
    tombstone=Tombstone,
    trashed_artifact=TrashedArtifact,
    blob=Blob,
)
_COUNT: Final = """
    SELECT count(*), pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    FROM artifact WHERE build_id = %s
"""


def own_slot(*, actor: Actor, build: UUID, path: str) -> FoundSlot:
    """The slot, in a build of any state, for one of those who may add to it.

    At what is no path, nothing stands.

    Raises:
        As `own_build`.
    """
    asked = path if is_path(path) else ""
    row = _OWN.first(build=build, path=asked, **seen_by(actor))
    if row is None:
        raise BuildNotFound
    project = row.the(Project)
    project.organization = row.the(Organization)
    slot = _slot(row, project)
    require_own(actor, slot.build)
    return slot


def slot_held_together(*, build: Build, path: str) -> FoundSlot | None:
    """The slot, in a build that stays as it is until the commit; None when the build is gone.

    It is held together with all others who add to it. Where a seal was waited for, what came to
    the path in that moment may not be seen yet: the unique constraint tells.
    """
    row = _HELD.first(build=build.pk, path=path, scopes=_scopes(build.project))
    return _slot(row, build.project) if row is not None else None


def named_slot(*, actor: Actor, place: Place, origin: str) -> FoundName:
    """The name as this origin (a job, or the project's releases) gives it, in a visible project.

    At what is no path, nothing stands.

    Raises:
        ProjectNotFound: there is no such project, or it does not exist for this actor.
    """
    if not is_slug(place.organization) or not is_slug(place.project):
        raise ProjectNotFound
    row = _NAMED.first(
        organization=place.organization,
        project=place.project,
        origin=origin,
        path=place.path if is_path(place.path) else "",
        **seen_by(actor),
    )
    if row is None:
        raise ProjectNotFound
    project, artifact = row.the(Project), row.maybe(Artifact)
    project.organization = row.the(Organization)
    if artifact is not None:
        artifact.project, artifact.build = project, row.the(Build)
        artifact.build.project, artifact.blob = project, row.the(Blob)
    return FoundName(project, artifact, None if artifact is not None else _gone(row, project))


def given_name(*, project: Project, origin: str, path: str) -> GivenName:
    """Who had the name before, seen after a row was written that a retention run waits for."""
    row = _GIVEN.first(project=project.pk, origin=origin, path=path, scopes=_scopes(project))
    if row is None:
        raise LookupError(path)  # an outer join has a row
    [has_policies] = row.more
    return GivenName(_gone(row, project), has_policies)


def count_files(build: UUID) -> Counted:
    """How many files the build has, counted one by one."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [build])
        files, from_transaction = cursor.fetchone()
    return Counted(files, from_transaction)


def _slot(row: Row, project: Project) -> FoundSlot:
    build, artifact = row.the(Build), row.maybe(Artifact)
    build.project = project
    if artifact is not None:
        artifact.build, artifact.project = build, project
    return FoundSlot(build, artifact, *row.more)


def _gone(row: Row, project: Project) -> Tombstone | TrashedArtifact | None:
    trashed = row.maybe(TrashedArtifact)
    if trashed is None:
        return row.maybe(Tombstone)
    trashed.project, trashed.blob = project, row.the(Blob)
    return trashed


def _scopes(project: Project) -> list[UUID]:
    return [holder.scope for holder in holders_above(project)]
