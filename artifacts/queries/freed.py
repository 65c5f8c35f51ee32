"""What a plan's run has freed, as the store confirmed it, and where the rest of its bytes are."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db import connection
from django.db.models import Count, Sum

from artifacts.models import FreedBlob, RetentionPlan
from artifacts.queries.fates import forgotten_at


class Whereabouts(StrEnum):
    """Where the bytes of an artifact are that a plan speaks of."""

    NOT_REMOVED = "not-removed"  # not yet, or spared, or restored, or removed by somebody else
    IN_TRASH = "in-trash"
    SHARED = "shared"  # somebody else has them
    IN_GRACE = "in-grace"
    STUCK = "stuck"  # the store was told to remove them, and has them still
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Waiting:
    """So many artifacts; bytes as the plan counted them, of each blob once.

    `until` is when the last of them go on, where time alone decides that.
    """

    artifacts: int
    physical_bytes: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Freed:
    """What the store has no more of what a plan removed: asked, and answered.

    `artifacts` are those whose bytes are gone, whoever removed the last file that had them;
    blobs and bytes are those whose last file this plan removed, so that none counts for two.
    """

    artifacts: int
    blobs: int
    size_bytes: int
    waiting: Mapping[Whereabouts, Waiting]


_NOBODY: Final = "NOT EXISTS (SELECT FROM {table} AS other WHERE other.blob_id = item.blob_id)"
_WHEREABOUTS: Final = f"""
    SELECT whereabouts, count(*), sum(physical_bytes), max(until)
    FROM (
        SELECT item.physical_bytes,
            CASE WHEN trashed.id IS NOT NULL THEN 'in-trash'
                WHEN tombstone.artifact_id IS NULL THEN 'not-removed'
                WHEN freed.blob_id IS NOT NULL THEN 'confirmed'
                WHEN blob.stuck_at IS NOT NULL THEN 'stuck'
                WHEN {_NOBODY.format(table="artifact")}
                    AND {_NOBODY.format(table="trashed_artifact")} THEN 'in-grace'
                ELSE 'shared' END AS whereabouts,
            coalesce(trashed.restorable_until,
                coalesce(blob.unreferenced_at, %(now)s) + %(grace)s * interval '1 second') AS until
        FROM retention_plan_item AS item
        LEFT JOIN trashed_artifact AS trashed
            ON trashed.id = item.artifact_id AND trashed.plan_id = item.plan_id
        LEFT JOIN tombstone
            ON tombstone.artifact_id = item.artifact_id AND tombstone.plan_id = item.plan_id
        LEFT JOIN blob ON blob.id = item.blob_id
        LEFT JOIN freed_blob AS freed ON freed.blob_id = item.blob_id
        WHERE item.plan_id = %(plan)s
    ) AS found GROUP BY whereabouts
"""  # noqa: S608 - words of our own
_TIMED: Final = frozenset({Whereabouts.IN_TRASH, Whereabouts.IN_GRACE})


def freed_by(plan: RetentionPlan, *, grace: timedelta, now: datetime) -> Freed:
    """What is confirmed of the plan, and where all the rest is; `grace` is the collector's."""
    if forgotten_at(plan) is not None:
        return _of_forgotten(plan)
    with connection.cursor() as cursor:
        cursor.execute(_WHEREABOUTS, {"plan": plan.pk, "grace": grace.total_seconds(), "now": now})
        rows = {
            Whereabouts(word): Waiting(
                artifacts, int(physical_bytes), until if word in _TIMED else None
            )
            for word, artifacts, physical_bytes, until in cursor.fetchall()
        }
    confirmed = rows.pop(Whereabouts.CONFIRMED, None)
    of_plan = FreedBlob.objects.filter(plan=plan)
    blobs = of_plan.aggregate(count=Count("blob_id"), size_bytes=Sum("size_bytes"))
    return Freed(
        artifacts=confirmed.artifacts if confirmed is not None else 0,
        blobs=blobs["count"],
        size_bytes=blobs["size_bytes"] or 0,
        waiting={one: rows[one] for one in Whereabouts if one in rows},
    )


def _of_forgotten(plan: RetentionPlan) -> Freed:
    """Nobody had it applied: it has removed nothing."""
    all_of_it = Waiting(plan.artifacts, plan.physical_bytes, None)
    return Freed(0, 0, 0, {Whereabouts.NOT_REMOVED: all_of_it} if plan.artifacts else {})
