"""What would come of each artifact of a bulk action, in SQL, by the rules of the single acts.

About the row of `artifact` around it, which may be one of `trashed_artifact` by that name, with its
`build`. Property tests hold it to what the single acts do.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection

from artifacts.domain.bulk import Act, Counts, Outcome, Selection
from artifacts.domain.lifecycle import BuildState
from artifacts.domain.retention import IN_USE, LEGAL_HOLD, Cited
from artifacts.models import BulkAction, Project
from artifacts.queries.candidates import ENDED
from artifacts.queries.expiry import (
    DOWNLOADED,
    YANKED,
    Sql,
    conditions_sql,
    expiry_sql,
    rules_by_hand,
)
from artifacts.queries.immutable import is_immutable_sql
from artifacts.queries.protecting import PROTECTED

_QUARANTINED: Final = "EXISTS (SELECT FROM quarantine WHERE quarantine.artifact_id = artifact.id)"
# What an act has to find, for there to be anything to do.
_BEFORE: Final = {
    Act.YANK: f"NOT {YANKED}",
    Act.UNYANK: YANKED,
    Act.QUARANTINE: f"NOT {_QUARANTINED}",
    Act.RELEASE: _QUARANTINED,
}
_DONE: Final = Sql(f"'{Outcome.DONE}'")
_WRITE: Final = """
    WITH item AS (
        INSERT INTO bulk_action_item (bulk_action_id, artifact_id, path, ref, size_bytes, expected)
        SELECT %s, artifact.id, artifact.path, artifact.ref, blob.size_bytes, {outcome}
        FROM {table} AS artifact JOIN build ON build.id = artifact.build_id
            JOIN blob ON blob.id = artifact.blob_id
        WHERE {wanted} ORDER BY artifact.id
        RETURNING expected, size_bytes
    ) SELECT expected, count(*), sum(size_bytes) FROM item GROUP BY expected
"""
_COUNT: Final = """
    SELECT coalesce(outcome, %s), count(*) FROM bulk_action_item AS item LEFT JOIN LATERAL (
        SELECT {outcome} AS outcome
        FROM {table} AS artifact JOIN build ON build.id = artifact.build_id
        WHERE artifact.id = item.artifact_id
    ) AS found ON true WHERE item.bulk_action_id = %s GROUP BY 1
"""
_LOCK: Final = """
    SELECT artifact.id, {outcome}
    FROM {table} AS artifact JOIN build ON build.id = artifact.build_id
    WHERE artifact.id = ANY(%s) ORDER BY artifact.id FOR UPDATE OF artifact
"""


def write_items(
    action: UUID, *, act: Act, project: Project, selection: Selection, now: datetime
) -> tuple[Counts, int]:
    """Write down every artifact of the selection with what would come of it: one statement.

    The counts, and the bytes of those to which it would be done.
    """
    outcome, wanted = _outcome(act, project, now=now), _wanted(act, project, selection)
    given = [action, *outcome.parameters, *wanted.parameters]
    rows = _fetch(_WRITE.format(outcome=outcome.text, table=table(act), wanted=wanted.text), given)
    counts = {Outcome(word): number for word, number, _bytes in rows}
    done_bytes = [int(size) for word, _number, size in rows if word == Outcome.DONE]
    return counts, sum(done_bytes)


def outcomes_now(action: BulkAction, *, now: datetime) -> Counts:
    """What would come of its artifacts by now, counted."""
    act = Act(action.act)
    outcome = _outcome(act, action.project, now=now)
    given = [Outcome.GONE.value, *outcome.parameters, action.pk]
    rows = _fetch(_COUNT.format(outcome=outcome.text, table=table(act)), given)
    return {Outcome(word): number for word, number in rows}


def lock_and_decide(
    artifacts: list[UUID], *, act: Act, project: Project, now: datetime
) -> dict[UUID, Outcome]:
    """What comes of each of these artifacts; locked until the commit. What is gone is left out."""
    outcome = _outcome(act, project, now=now)
    given = [*outcome.parameters, artifacts]
    rows = _fetch(_LOCK.format(outcome=outcome.text, table=table(act)), given)
    return {artifact: Outcome(word) for artifact, word in rows}


def table(act: Act) -> str:
    """Where the act finds what it can be done to."""
    return "trashed_artifact" if act is Act.RESTORE else "artifact"


def _wanted(act: Act, project: Project, selection: Selection) -> Sql:
    """The rows of the selection; of what an act only takes back, those that it was done to."""
    asked = [
        Sql("artifact.project_id = %s", (project.pk,)),
        Sql("build.state <> %s", (BuildState.OPEN.value,)),
        *conditions_sql(selection.conditions),
    ]
    if act in (Act.UNYANK, Act.RELEASE):
        asked.append(Sql(_BEFORE[act]))
    if selection.stored_before is not None:
        asked.append(Sql("artifact.stored_at < %s", (selection.stored_before,)))
    if selection.stored_after is not None:
        asked.append(Sql("artifact.stored_at > %s", (selection.stored_after,)))
    if selection.idle_since is not None:
        idle = f"GREATEST(artifact.stored_at, {DOWNLOADED}) < %s"
        asked.append(Sql(idle, (selection.idle_since,)))
    if selection.plan is not None:
        asked.append(Sql("artifact.plan_id = %s", (selection.plan,)))
    parameters = tuple(value for one in asked for value in one.parameters)
    return Sql(" AND ".join(one.text for one in asked), parameters)


def _outcome(act: Act, project: Project, *, now: datetime) -> Sql:
    match act:
        case Act.REMOVE:
            return _of_removal(project, now=now)
        case Act.RESTORE:
            is_there = f"artifact.restorable_until > %s OR {PROTECTED}"
            return _first([(Sql(f"NOT ({is_there})", (now, now)), Outcome.GONE)])
        case Act.YANK:
            immutable = (is_immutable_sql(project), Outcome.IMMUTABLE)
            return _first([immutable, _needless(act)])
        case _:
            return _first([_needless(act)])


def _needless(act: Act) -> tuple[Sql, Outcome]:
    return Sql(f"NOT ({_BEFORE[act]})"), Outcome.ALREADY_SO


def _of_removal(project: Project, *, now: datetime) -> Sql:
    made = expiry_sql(rules_by_hand(project), now=now)
    keepers = " ".join(
        f"WHEN {place} THEN '{_keeping(one.cited)}'" for place, one in enumerate(made.keep)
    )
    # Null where nothing keeps it, so that it is done.
    kept = f"""(SELECT CASE WHEN expiry.ends > %s THEN CASE expiry.kept_by {keepers} END END
        FROM ({made.sql.text}) AS expiry)"""  # noqa: S608 - words of our own
    return _first(
        [
            (is_immutable_sql(project), Outcome.IMMUTABLE),
            (Sql("build.state <> ALL(%s)", (ENDED,)), Outcome.NOT_PUBLISHED),
        ],
        otherwise=Sql(f"COALESCE({kept}, '{Outcome.DONE}')", (now, *made.sql.parameters)),
    )


def _keeping(cited: Cited) -> Outcome:
    return {LEGAL_HOLD: Outcome.HELD, IN_USE: Outcome.IN_USE}.get(cited, Outcome.KEPT)


def _first(whens: list[tuple[Sql, Outcome]], otherwise: Sql = _DONE) -> Sql:
    text = " ".join(f"WHEN {condition.text} THEN '{outcome}'" for condition, outcome in whens)
    given = tuple(value for condition, _outcome in whens for value in condition.parameters)
    return Sql(f"CASE {text} ELSE {otherwise.text} END", (*given, *otherwise.parameters))


def _fetch(text: str, given: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(text, given)
        return list(cursor.fetchall())
