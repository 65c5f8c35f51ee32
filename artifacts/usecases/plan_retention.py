"""Plan what retention would take away: a document that is stored, and changes nothing else.

Sets of rows, whatever their number: each group of projects with the same rules is one statement,
and what goes stands in a temporary table until it is known whose bytes nobody else has.
"""

import logging
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.retention import Cited, Measure, Rules
from artifacts.models import Project, RetentionPlan, RetentionPlanRule
from artifacts.queries.expiry import ExpirySql, expiry_sql
from artifacts.queries.frontier import frontier
from artifacts.queries.retention import Holder, rules_below
from kernel.actor import Actor
from kernel.audit.record import record

logger = logging.getLogger(__name__)

# Files of a build that is open or waits for its statement are not for retention to take.
ENDED: Final = [BuildState.PUBLISHED.value, BuildState.REFUSED.value]
_DRAFT: Final = """
    CREATE TEMPORARY TABLE retention_draft (artifact_id uuid, project_id uuid, blob_id bigint,
        size_bytes bigint, ends_at timestamptz, place bigint, rule integer)
"""
# As an index has them, so that nothing is sorted. What was refused counts behind what was
# published at that time, and pushes nothing out.
_PLACE: Final = """count(*) FILTER (WHERE build.state = 'published') OVER (
        PARTITION BY artifact.project_id, artifact.ref, artifact.path
        ORDER BY artifact.stored_at DESC, artifact.id ROWS UNBOUNDED PRECEDING
    ) + (build.state <> 'published')::integer"""
_DECIDE: Final = """
    WITH placed AS (
        SELECT artifact.*, {place} AS place
        FROM artifact JOIN build ON build.id = artifact.build_id
        WHERE artifact.project_id = ANY(%s) AND build.state = ANY(%s)
    ), decided AS MATERIALIZED (
        SELECT artifact.id, artifact.project_id, artifact.blob_id, artifact.place, blob.size_bytes,
            expiry.ends, expiry.rule, expiry.kept_by
        FROM placed AS artifact JOIN blob ON blob.id = artifact.blob_id
        CROSS JOIN LATERAL ({expiry}) AS expiry
    ), drafted AS (
        INSERT INTO retention_draft
        SELECT id, project_id, blob_id, size_bytes, ends, place, (%s::integer[])[rule + 1]
        FROM decided WHERE ends <= %s
    )
    SELECT ends <= %s, rule, kept_by, count(*), sum(size_bytes) FROM decided GROUP BY 1, 2, 3
"""
_ITEMS: Final = """
    INSERT INTO retention_plan_item (plan_id, artifact_id, project_id, path, ref, blob_id,
        size_bytes, physical_bytes, ends_at, place, rule)
    SELECT %s, artifact_id, shared.project_id, path, ref, shared.blob_id, size_bytes,
        CASE WHEN is_first AND going = (SELECT count(*) FROM artifact AS user_of
            WHERE user_of.blob_id = shared.blob_id) THEN size_bytes ELSE 0 END,
        ends_at, place, rule
    FROM (
        SELECT *, count(*) OVER of_blob AS going,
            row_number() OVER (PARTITION BY blob_id ORDER BY artifact_id) = 1 AS is_first
        FROM retention_draft WINDOW of_blob AS (PARTITION BY blob_id)
    ) AS shared JOIN artifact ON artifact.id = shared.artifact_id
    ORDER BY shared.project_id, artifact_id
"""
_TOTALS: Final = """
    SELECT count(*), coalesce(sum(size_bytes), 0), count(*) FILTER (WHERE physical_bytes > 0),
        coalesce(sum(physical_bytes), 0)
    FROM retention_plan_item WHERE plan_id = %s
"""


@dataclass(slots=True)
class _Tally:
    """What each rule does, over all groups; the place in the dictionary is the rule's number."""

    counted: dict[tuple[str, Cited | None], list[int]] = field(default_factory=dict)

    def number(self, outcome: str, cited: Cited | None) -> int:
        self.counted.setdefault((outcome, cited), [0, 0])
        return list(self.counted).index((outcome, cited))

    def add(self, outcome: str, cited: Cited | None, artifacts: int, size_bytes: int) -> None:
        self.number(outcome, cited)
        self.counted[outcome, cited][0] += artifacts
        self.counted[outcome, cited][1] += size_bytes


def plan_retention(*, holder: Holder, actor: Actor, now: datetime) -> RetentionPlan:
    """Write down what would go now of what is below the holder, by which rule, and its bytes.

    Raises:
        Unauthenticated, PermissionMissing: the actor may not decide about the holder's things.
    """
    holder.require_owned(actor)
    plan, tally = uuid.uuid4(), _Tally()
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute(_DRAFT)
            # Before the rules: what changes between the two makes the plan stale, not wrong.
            depends = frontier(holder)
            for rules, projects in rules_below(holder):
                _decide(cursor, rules, projects, tally, now=now)
            cursor.execute("ANALYZE retention_draft")
            cursor.execute(_ITEMS, [plan])
            cursor.execute("DROP TABLE retention_draft")
            cursor.execute(_TOTALS, [plan])
            artifacts, logical_bytes, blobs, physical_bytes = cursor.fetchone()
        made = RetentionPlan.objects.create(
            id=plan,
            level=holder.level,
            scope_id=holder.scope,
            made_at=now,
            made_by=actor.name,
            frontier=depends.to_json(),
            artifacts=artifacts,
            logical_bytes=logical_bytes,
            blobs=blobs,
            physical_bytes=physical_bytes,
            looked_at=sum(artifacts for artifacts, _bytes in tally.counted.values()),
        )
        _write_rules(made, tally)
        record(
            actor,
            "retention.plan",
            holder.name,
            now=now,
            organization=holder.organization,
            plan=str(plan),
            artifacts=artifacts,
            logical_bytes=int(logical_bytes),
            physical_bytes=int(physical_bytes),
        )
    logger.info("retention planned", extra={"plan": str(plan), "artifacts": artifacts})
    return made


def _counts_newer(rules: Rules) -> bool:
    """Whether a rule asks how many artifacts are newer, which is only counted then."""
    return any(one.rule.measure is Measure.NEWEST for one in (*rules.keep, *rules.expire))


def _decide(
    cursor: CursorWrapper, rules: Rules, projects: list[Project], tally: _Tally, *, now: datetime
) -> None:
    """Draft what goes of these projects, and count what each rule does."""
    is_counted = _counts_newer(rules)
    made = expiry_sql(rules, now=now, place="artifact.place" if is_counted else None)
    numbers = [tally.number("ends", one.cited) for one in made.expire]
    ids: list[UUID] = [project.pk for project in projects]
    given: list[Any] = [ids, ENDED, *made.sql.parameters, numbers, now, now]
    place = _PLACE if is_counted else "NULL::bigint"
    cursor.execute(_DECIDE.format(place=place, expiry=made.sql.text), given)
    for is_over, rule, kept_by, artifacts, size_bytes in cursor.fetchall():
        outcome, cited = _outcome(made, is_over=is_over, rule=rule, kept_by=kept_by)
        tally.add(outcome, cited, artifacts, int(size_bytes))


def _outcome(
    made: ExpirySql, *, is_over: bool | None, rule: int | None, kept_by: int | None
) -> tuple[str, Cited | None]:
    if rule is None:
        return "stays", None
    if is_over:
        return "ends", made.expire[rule].cited
    if kept_by is not None:
        return "keeps", made.keep[kept_by].cited
    return "waits", made.expire[rule].cited


def _write_rules(plan: RetentionPlan, tally: _Tally) -> None:
    RetentionPlanRule.objects.bulk_create(
        RetentionPlanRule(
            plan=plan,
            number=number,
            outcome=outcome,
            name=cited.name if cited is not None else "",
            level=cited.level if cited is not None else None,
            scope_id=cited.scope if cited is not None else None,
            version=cited.version if cited is not None else None,
            artifacts=artifacts,
            logical_bytes=logical_bytes,
        )
        for number, ((outcome, cited), (artifacts, logical_bytes)) in enumerate(
            tally.counted.items()
        )
        if artifacts
    )
