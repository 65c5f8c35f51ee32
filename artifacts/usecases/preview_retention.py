"""Preview a retention policy: what it would change for the artifacts that are there.

Each artifact is decided twice in one pass, by the policies that hold and by the document in the
place of its holder's own; what would newly end, or newly be kept, is written down one by one.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from artifacts.domain.retention import Attached, Cited, Rules
from artifacts.domain.retention_document import read_policy
from artifacts.domain.retention_tally import Effect, Tally
from artifacts.models import Project, RetentionPreview, RetentionPreviewRule
from artifacts.queries.candidates import candidates, expect_many
from artifacts.queries.expiry import ExpirySql, expiry_sql
from artifacts.queries.freeing import users_of
from artifacts.queries.frontier import policies_seen
from artifacts.queries.protecting import gather_protected
from artifacts.queries.retention import Holder, held_by, policies_below, protected_of
from kernel.actor import Actor
from kernel.audit.record import record

logger = logging.getLogger(__name__)

_DRAFT: Final = """
    CREATE TEMPORARY TABLE preview_draft (artifact_id uuid, blob_id bigint, size_bytes bigint,
        held_ends timestamptz, ends timestamptz, was_over boolean, is_over boolean, rule integer)
"""
# A table, and not part of the statements that read it: only so may several processes make it.
_COMPARE: Final = """
    CREATE TEMPORARY TABLE preview_compared AS
    SELECT artifact.id, artifact.blob_id, artifact.size_bytes, held.ends AS held_ends,
        will.ends, will.rule, will.kept_by,
        coalesce(held.ends <= %s, false) AS was_over, coalesce(will.ends <= %s, false) AS is_over
    FROM ({candidates}) AS artifact
    CROSS JOIN LATERAL ({held}) AS held CROSS JOIN LATERAL ({will}) AS will
"""
# A rule keeps what had expired by keeping it, by ending it later, or by there being none.
_OVER: Final = """
    INSERT INTO preview_draft
    SELECT id, blob_id, size_bytes, held_ends, ends, was_over, is_over,
        CASE WHEN is_over THEN (%s::integer[])[rule + 1]
        ELSE coalesce((%s::integer[])[kept_by + 1], (%s::integer[])[rule + 1], %s) END
    FROM preview_compared WHERE was_over OR is_over
"""
_COUNT: Final = """
    SELECT CASE WHEN is_over AND NOT was_over THEN 'ends' WHEN was_over AND NOT is_over THEN 'keeps'
            WHEN coalesce(ends, 'infinity') < coalesce(held_ends, 'infinity') THEN 'sooner'
            WHEN coalesce(ends, 'infinity') > coalesce(held_ends, 'infinity') THEN 'later'
            ELSE 'same' END,
        rule, kept_by, count(*), sum(size_bytes)
    FROM preview_compared GROUP BY 1, 2, 3
"""
_ITEMS: Final = f"""
    INSERT INTO retention_preview_item (preview_id, artifact_id, project_id, path, ref, size_bytes,
        physical_bytes, effect, held_ends_at, ends_at, rule)
    SELECT %s, artifact.id, artifact.project_id, artifact.path, artifact.ref, drafted.size_bytes,
        CASE WHEN is_first AND users.number = greatest(going, went) AND going <> went
            THEN drafted.size_bytes ELSE 0 END,
        CASE WHEN is_over THEN 'ends' ELSE 'keeps' END,
        nullif(held_ends, 'infinity'), nullif(ends, 'infinity'), rule
    FROM (
        SELECT *, count(*) FILTER (WHERE is_over) OVER of_blob AS going,
            count(*) FILTER (WHERE was_over) OVER of_blob AS went,
            row_number() OVER (PARTITION BY blob_id, was_over, is_over ORDER BY artifact_id) = 1
                AND (count(*) FILTER (WHERE is_over) OVER of_blob
                    > count(*) FILTER (WHERE was_over) OVER of_blob) = is_over AS is_first
        FROM preview_draft WINDOW of_blob AS (PARTITION BY blob_id)
    ) AS drafted
    JOIN artifact ON artifact.id = drafted.artifact_id
    JOIN ({users_of("preview_draft")}) AS users ON users.blob_id = drafted.blob_id
    WHERE was_over <> is_over
    ORDER BY artifact.project_id, artifact.id
"""  # noqa: S608 - our own words
_PLANNED: Final = f"""
    SELECT coalesce(sum(going), 0), coalesce(sum(size_bytes * going), 0),
        coalesce(sum(size_bytes) FILTER (WHERE going = users.number), 0)
    FROM (
        SELECT blob_id, min(size_bytes) AS size_bytes, count(*) AS going
        FROM preview_draft WHERE is_over GROUP BY blob_id
    ) AS drafted JOIN ({users_of("preview_draft")}) AS users ON users.blob_id = drafted.blob_id
"""  # noqa: S608 - as above
_PHYSICAL: Final = """
    SELECT coalesce(sum(physical_bytes) FILTER (WHERE effect = 'ends'), 0),
        coalesce(sum(physical_bytes) FILTER (WHERE effect = 'keeps'), 0)
    FROM retention_preview_item WHERE preview_id = %s
"""


@dataclass(frozen=True, slots=True)
class _Totals:
    artifacts: int
    logical_bytes: int
    physical_bytes: int
    ended_physical_bytes: int
    kept_physical_bytes: int


def preview_retention(
    *, holder: Holder, document: object, actor: Actor, now: datetime
) -> RetentionPreview:
    """Write down what would be different now, if the document were the holder's policy.

    `set_retention` takes the preview's id, and saves nothing but what was previewed.

    Raises:
        Unauthenticated, PermissionMissing: the actor may not decide about the holder's things.
        MalformedRetentionPolicy: the document is none.
    """
    holder.require_owned(actor)
    policy = read_policy(document)
    preview, tally = uuid.uuid4(), Tally()
    with transaction.atomic(durable=True):
        # Before the rules: what changes between the two makes the preview stale, not wrong.
        seen = policies_seen(holder)
        [own] = held_by(holder)
        proposed = Attached(holder.level, own.version + 1, policy, holder.scope)
        with connection.cursor() as cursor:
            expect_many(cursor)
            cursor.execute(_DRAFT)
            _compare_all(cursor, proposed, tally, holder=holder, now=now)
            totals = _write_items(cursor, preview, now=now)
        made = RetentionPreview.objects.create(
            id=preview,
            level=holder.level,
            scope_id=holder.scope,
            document=document,
            version=own.version,
            policies=seen.policies,
            newest_policy=seen.newest_policy,
            made_at=now,
            made_by=actor.name,
            looked_at=tally.looked_at(),
            artifacts=totals.artifacts,
            logical_bytes=totals.logical_bytes,
            physical_bytes=totals.physical_bytes,
            ended_physical_bytes=totals.ended_physical_bytes,
            kept_physical_bytes=totals.kept_physical_bytes,
        )
        RetentionPreviewRule.write(tally, preview=made)
        record(
            actor,
            "retention.preview",
            holder.name,
            now=now,
            organization=holder.organization,
            preview=str(preview),
            version=own.version,
            document=document,
        )
    logger.info("retention previewed", extra={"preview": str(preview)})
    return made


def _compare_all(
    cursor: CursorWrapper, proposed: Attached, tally: Tally, *, holder: Holder, now: datetime
) -> None:
    """Draft and count what is below the holder, by its policy and by the proposed one."""
    groups = policies_below(holder)
    gather_protected(cursor, protected_of(groups))
    for alike in groups:
        others = [one for one in alike.attached if one.scope != holder.scope]
        rules = (
            Rules.of(alike.attached, alike.protections),
            Rules.of([*others, proposed], alike.protections),
        )
        _compare(cursor, rules, alike.projects, tally, now=now)


def _compare(
    cursor: CursorWrapper,
    rules: tuple[Rules, Rules],
    projects: list[Project],
    tally: Tally,
    *,
    now: datetime,
) -> None:
    """Draft what would be over of these projects, before or after, and count all effects."""
    rows, known = candidates(projects, *rules)
    held, will = (expiry_sql(one, now=now, known=known) for one in rules)
    given: list[Any] = [
        now,
        now,
        *rows.parameters,
        *held.sql.parameters,
        *will.sql.parameters,
    ]
    cursor.execute(
        _COMPARE.format(candidates=rows.text, held=held.sql.text, will=will.sql.text), given
    )
    cursor.execute(
        _OVER,
        [
            [tally.number(Effect.ENDS, one.cited) for one in will.expire],
            [tally.number(Effect.KEEPS, one.cited) for one in will.keep],
            [tally.number(Effect.KEEPS, one.cited) for one in will.expire],
            tally.number(Effect.KEEPS, None),
        ],
    )
    cursor.execute(_COUNT)
    for effect, rule, kept_by, artifacts, size_bytes in cursor.fetchall():
        tally.add(effect, _cited(will, effect, rule, kept_by), artifacts, int(size_bytes))
    cursor.execute("DROP TABLE preview_compared")


def _cited(will: ExpirySql, effect: str, rule: int | None, kept_by: int | None) -> Cited | None:
    """The rule that ends it, or what keeps it, or what will end it; as `_COMPARE` numbers them."""
    if kept_by is not None and effect != Effect.ENDS:
        return will.keep[kept_by].cited
    return will.expire[rule].cited if rule is not None else None


def _write_items(cursor: CursorWrapper, preview: UUID, *, now: datetime) -> _Totals:
    cursor.execute("ANALYZE preview_draft")
    cursor.execute(_ITEMS, [preview, now])
    cursor.execute(_PLANNED, [now])
    planned = cursor.fetchone()
    cursor.execute("DROP TABLE preview_draft, protected_artifact")
    cursor.execute(_PHYSICAL, [preview])
    return _Totals(*map(int, (*planned, *cursor.fetchone())))
