"""What must not go, whatever policies say: what is held, and what was declared to be in use.

As SQL about the row of `artifact` around it, which may be one of `trashed_artifact` by that name.
`domain/holds` says the same of one artifact, and property tests compare.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from artifacts.domain.holds import ArtifactHeld
from artifacts.domain.retention import HOLDING, USING, Ruled
from artifacts.models import DeclaredUse, Hold, NamedFile

COVERS: Final = """
    hold.project_id = artifact.project_id
    AND (hold.artifact_id IS NULL OR hold.artifact_id = artifact.id)
    AND (hold.build_id IS NULL OR hold.build_id = artifact.build_id)
    AND (hold.expression IS NULL OR artifact.path ~ hold.expression)
    AND NOT EXISTS (SELECT FROM hold_lifting WHERE hold_lifting.hold_id = hold.id)
"""
HELD_UNTIL: Final = f"""
    SELECT max(COALESCE(hold.ends_at, 'infinity')) FROM hold WHERE {COVERS}
"""  # noqa: S608 - words of our own
SHA256: Final = "(SELECT blob.sha256 FROM blob WHERE blob.id = artifact.blob_id)"
USED_UNTIL: Final = """
    SELECT max(COALESCE(declared_use.ends_at, 'infinity')) FROM declared_use
    WHERE declared_use.project_id = artifact.project_id AND declared_use.sha256 = {sha256}
        AND declared_use.protects
"""
IN_USE_UNTIL: Final = USED_UNTIL.format(sha256=SHA256)
# Its one parameter is the moment.
PROTECTED: Final = f"COALESCE(GREATEST(({HELD_UNTIL}), ({IN_USE_UNTIL})) > %s, false)"
# For each hold its artifacts, not for each artifact its holds: an expression is compiled once then.
_GATHER: Final = """
    CREATE TEMPORARY TABLE protected_artifact AS
    WITH standing AS MATERIALIZED (
        SELECT hold.*, COALESCE(ends_at, 'infinity') AS until FROM hold
        WHERE project_id = ANY(%(projects)s)
            AND NOT EXISTS (SELECT FROM hold_lifting WHERE hold_lifting.hold_id = hold.id)
    )
    SELECT id, max(held_until) AS held_until, max(in_use_until) AS in_use_until FROM (
        SELECT artifact.id, until AS held_until, NULL::timestamptz AS in_use_until
        FROM standing JOIN artifact ON artifact.id = standing.artifact_id
            AND artifact.project_id = standing.project_id
        UNION ALL SELECT artifact.id, until, NULL
        FROM standing JOIN artifact ON artifact.build_id = standing.build_id
            AND artifact.project_id = standing.project_id
        UNION ALL SELECT covered.id, until, NULL
        FROM standing CROSS JOIN LATERAL (
            SELECT artifact.id FROM artifact WHERE artifact.project_id = standing.project_id
                AND (expression IS NULL
                    OR starts_with(path, split_part(paths, '*', 1)) AND path ~ expression) OFFSET 0
        ) AS covered WHERE standing.artifact_id IS NULL AND standing.build_id IS NULL
        UNION ALL SELECT artifact.id, NULL, COALESCE(declared_use.ends_at, 'infinity')
        FROM declared_use JOIN blob ON blob.sha256 = declared_use.sha256
        JOIN artifact ON artifact.blob_id = blob.id
            AND artifact.project_id = declared_use.project_id
        WHERE declared_use.protects AND declared_use.project_id = ANY(%(projects)s)
    ) AS told GROUP BY id
"""
_HELD_AMONG: Final = f"""
    SELECT artifact.id FROM {{table}} AS artifact
    WHERE artifact.id = ANY(%s) AND ({HELD_UNTIL}) > %s
"""  # noqa: S608 - as above
_HOLDING: Final = f"""
    SELECT hold.* FROM hold, (SELECT %s::uuid AS id, %s::uuid AS build_id, %s::uuid AS project_id,
        %s::text COLLATE "C" AS path) AS artifact
    WHERE {COVERS} AND COALESCE(hold.ends_at, 'infinity') > %s ORDER BY hold.placed_at, hold.id
"""  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class Protected:
    """The projects in which anything is protected, by what."""

    held: frozenset[UUID]
    in_use: frozenset[UUID]

    def of(self, project: UUID) -> tuple[Ruled, ...]:
        """The protections that may speak of something of this project."""
        found = [(HOLDING, self.held), (USING, self.in_use)]
        return tuple(rule for rule, projects in found if project in projects)


def protected_projects() -> Protected:
    """Where anything was ever held, or is in use: elsewhere nobody has to look at each artifact."""
    return Protected(
        frozenset(Hold.objects.values_list("project", flat=True).distinct()),
        frozenset(
            DeclaredUse.objects.filter(protects=True).values_list("project", flat=True).distinct()
        ),
    )


def gather_protected(cursor: CursorWrapper, projects: Iterable[UUID]) -> None:
    """Make the temporary table `protected_artifact`: until when what is held, and what in use.

    For whoever asks about all of a store: to look for each artifact alone takes far longer.
    """
    cursor.execute(_GATHER, {"projects": list(projects)})
    cursor.execute("ANALYZE protected_artifact")


def holds_on(artifact: NamedFile, *, now: datetime) -> list[Hold]:
    """The holds that protect it now, the oldest first."""
    about = [artifact.pk, artifact.build_id, artifact.project_id, artifact.path]
    return list(Hold.objects.raw(_HOLDING, [*about, now]))


def held_among(files: type[NamedFile], ids: Iterable[UUID], *, now: datetime) -> set[UUID]:
    """Which of these rows of `artifact` or of the trash are held."""
    with connection.cursor() as cursor:
        table = files._meta.db_table  # noqa: SLF001 - Django documents it
        cursor.execute(_HELD_AMONG.format(table=table), [list(ids), now])
        return {row[0] for row in cursor.fetchall()}


def require_not_held(artifact: NamedFile, *, now: datetime) -> None:
    """Refuse what would take it away. After `holds_stand_still`, so that it stays so.

    Raises:
        ArtifactHeld: a hold covers it.
    """
    found = holds_on(artifact, now=now)
    if found:
        raise ArtifactHeld(
            artifact=artifact.pk,
            holds=[one.pk for one in found],
            lifted_by="as many owners as the store wants, never one alone",
        )
