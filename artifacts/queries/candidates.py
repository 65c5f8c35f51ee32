"""The artifacts that retention may take, as rows which rules can be asked about in SQL."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from django.db.backends.utils import CursorWrapper

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.retention import Measure, Rules
from artifacts.models import Project
from artifacts.queries.expiry import Known, Sql

# Files of a build that is open or waits for its statement are not for retention to take.
ENDED: Final = [BuildState.PUBLISHED.value, BuildState.REFUSED.value]
# A sort of all rows: by a hash first, because paths differ late, and refs in a language's order.
# What was refused counts behind what was published at that time, and pushes nothing out.
_PLACE: Final = """count(*) FILTER (WHERE build.state = 'published') OVER (
        PARTITION BY hashtextextended(artifact.path, hashtextextended(artifact.ref, 0)),
            artifact.path, artifact.ref COLLATE "C", artifact.project_id
        ORDER BY artifact.stored_at DESC, artifact.id ROWS UNBOUNDED PRECEDING
    ) + (build.state <> 'published')::integer"""


def expect_many(cursor: CursorWrapper) -> None:
    """Let this transaction sort and join a million rows: in bounded memory, not on 4 MB.

    Its expressions are long and its statements few: to compile them takes longer than it saves.
    """
    cursor.execute("SET LOCAL work_mem = '64MB'")
    cursor.execute("SET LOCAL jit = off")


def candidates(projects: Sequence[Project], *all_rules: Rules) -> tuple[Sql, Known]:
    """Rows of `artifact` with `size_bytes` and `place`, and what is known by them for these rules.

    Where something may be protected, that has been gathered (queries/protecting).
    """
    measures = {one.rule.measure for rules in all_rules for one in (*rules.keep, *rules.expire)}
    columns, joined, known = "NULL::bigint AS place", "", Known()
    if Measure.NEWEST in measures:
        columns, known = f"{_PLACE} AS place", replace(known, place="artifact.place")
    if not measures.isdisjoint({Measure.HELD, Measure.IN_USE}):
        columns += ", protected.held_until, protected.in_use_until"
        joined = "LEFT JOIN protected_artifact AS protected ON protected.id = artifact.id"
        known = replace(
            known, held_until="artifact.held_until", in_use_until="artifact.in_use_until"
        )
    # Sizes are looked up before the sort: neighbours in one table are neighbours in the other.
    text = f"""
        SELECT artifact.*, blob.size_bytes, {columns}
        FROM artifact JOIN build ON build.id = artifact.build_id
        JOIN blob ON blob.id = artifact.blob_id {joined}
        WHERE artifact.project_id = ANY(%s) AND build.state = ANY(%s)"""  # noqa: S608 - our own words
    return Sql(text, ([project.pk for project in projects], ENDED)), known
