"""Plan what retention would take away: a document that is stored, and changes nothing else.

Sets of rows, whatever their number: each group of projects with the same rules is one statement,
and what goes stands in a temporary table until it is known whose bytes nobody else has.
"""

import logging
import uuid
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from artifacts.domain.retention import Cited, Rules
from artifacts.domain.retention_tally import Tally
from artifacts.models import Project, RetentionPlan, RetentionPlanRule
from artifacts.queries.candidates import candidates, expect_many
from artifacts.queries.expiry import ExpirySql, expiry_sql
from artifacts.queries.freeing import users_of
from artifacts.queries.frontier import frontier
from artifacts.queries.protecting import gather_protected
from artifacts.queries.retention import Holder, policies_below, protected_of
from kernel.actor import Actor
from kernel.audit.record import record

logger = logging.getLogger(__name__)

# What is going, of all groups.
_DRAFT: Final = """
    CREATE TEMPORARY TABLE retention_draft (artifact_id uuid, blob_id bigint, size_bytes bigint,
        ends_at timestamptz, place bigint, rule integer)
"""
# A table, and not part of the statements that read it: only so may several processes make it.
_DECIDE: Final = """
    CREATE TEMPORARY TABLE retention_decided AS
    SELECT artifact.id, artifact.blob_id, artifact.size_bytes, artifact.place,
        expiry.ends, expiry.rule, expiry.kept_by
    FROM ({candidates}) AS artifact CROSS JOIN LATERAL ({expiry}) AS expiry
"""
_GOING: Final = """
    INSERT INTO retention_draft
    SELECT id, blob_id, size_bytes, ends, place, (%s::integer[])[rule + 1]
    FROM retention_decided WHERE ends <= %s
"""
_COUNT: Final = """
    SELECT ends <= %s, rule, kept_by, count(*), sum(size_bytes)
    FROM retention_decided GROUP BY 1, 2, 3
"""
_ITEMS: Final = f"""
    INSERT INTO retention_plan_item (plan_id, artifact_id, project_id, path, ref, blob_id,
        size_bytes, physical_bytes, ends_at, place, rule)
    SELECT %s, artifact.id, artifact.project_id, path, ref, shared.blob_id, size_bytes,
        CASE WHEN is_first AND going = users.number THEN size_bytes ELSE 0 END,
        ends_at, place, rule
    FROM (
        SELECT *, count(*) OVER of_blob AS going,
            row_number() OVER (PARTITION BY blob_id ORDER BY artifact_id) = 1 AS is_first
        FROM retention_draft WINDOW of_blob AS (PARTITION BY blob_id)
    ) AS shared JOIN artifact ON artifact.id = shared.artifact_id
    JOIN ({users_of("retention_draft")}) AS users ON users.blob_id = shared.blob_id
    ORDER BY artifact.project_id, artifact.id
"""  # noqa: S608 - our own words
_TOTALS: Final = """
    SELECT count(*), coalesce(sum(size_bytes), 0), count(*) FILTER (WHERE physical_bytes > 0),
        coalesce(sum(physical_bytes), 0)
    FROM retention_plan_item WHERE plan_id = %s
"""


def plan_retention(*, holder: Holder, actor: Actor, now: datetime) -> RetentionPlan:
    """Write down what would go now of what is below the holder, by which rule, and its bytes.

    Raises:
        Unauthenticated, PermissionMissing: the actor may not decide about the holder's things.
    """
    holder.require_owned(actor)
    plan, tally = uuid.uuid4(), Tally()
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            expect_many(cursor)
            cursor.execute(_DRAFT)
            # Before the rules: what changes between the two makes the plan stale, not wrong.
            depends = frontier(holder)
            groups = policies_below(holder)
            gather_protected(cursor, protected_of(groups))
            for alike in groups:
                rules = Rules.of(alike.attached, alike.protections)
                _decide(cursor, rules, alike.projects, tally, now=now)
            cursor.execute("ANALYZE retention_draft")
            cursor.execute(_ITEMS, [plan, now])
            cursor.execute("DROP TABLE retention_draft, protected_artifact")
            cursor.execute(_TOTALS, [plan])
            # Sums are numeric in SQL, and would be answered as 4096.0.
            artifacts, logical_bytes, blobs, physical_bytes = map(int, cursor.fetchone())
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
            looked_at=tally.looked_at(),
        )
        RetentionPlanRule.write(tally, plan=made)
        record(
            actor,
            "retention.plan",
            holder.name,
            now=now,
            organization=holder.organization,
            plan=str(plan),
            artifacts=artifacts,
            logical_bytes=logical_bytes,
            physical_bytes=physical_bytes,
        )
    logger.info("retention planned", extra={"plan": str(plan), "artifacts": artifacts})
    return made


def _decide(
    cursor: CursorWrapper, rules: Rules, projects: list[Project], tally: Tally, *, now: datetime
) -> None:
    """Draft what goes of these projects, and count what each rule does."""
    rows, known = candidates(projects, rules)
    made = expiry_sql(rules, now=now, known=known)
    given: list[Any] = [*rows.parameters, *made.sql.parameters]
    cursor.execute(_DECIDE.format(candidates=rows.text, expiry=made.sql.text), given)
    cursor.execute(_GOING, [[tally.number("ends", one.cited) for one in made.expire], now])
    cursor.execute(_COUNT, [now])
    for is_over, rule, kept_by, artifacts, size_bytes in cursor.fetchall():
        outcome, cited = _outcome(made, is_over=is_over, rule=rule, kept_by=kept_by)
        tally.add(outcome, cited, artifacts, int(size_bytes))
    cursor.execute("DROP TABLE retention_decided")


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
