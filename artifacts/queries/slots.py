"""A path of a build, as an upload to it finds it: each time by one statement.

A build of 10,000 files asks all of this 10,000 times.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import connection

from artifacts.domain.file_counts import Counted
from artifacts.domain.names import is_path
from artifacts.errors import BuildNotFound
from artifacts.models import Artifact, Build, Organization, Project
from artifacts.queries import require_own
from artifacts.queries.seeing import SEEN, seen_by
from kernel.actor import Actor
from kernel.rows import Joined, Row


@dataclass(frozen=True, slots=True)
class FoundSlot:
    """The build with its project, and what stands at the path already, if anything does.

    What was seen are transactions below `below_transaction`, as PostgreSQL numbers them.
    """

    build: Build
    artifact: Artifact | None
    below_transaction: int


_BELOW: Final = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
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
    SELECT {{build}}, {{artifact}}, {_BELOW}
    FROM build {_AT_PATH}
    WHERE build.id = %(build)s FOR SHARE OF build
    """,  # noqa: S608 - as above
    build=Build,
    artifact=Artifact,
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
    row = _HELD.first(build=build.pk, path=path)
    return _slot(row, build.project) if row is not None else None


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
    [below_transaction] = row.more
    return FoundSlot(build, artifact, below_transaction)
