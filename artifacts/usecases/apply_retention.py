"""Apply a retention plan: batch by batch, each of which looks at its artifacts once more.

Rows say first that an artifact is gone: in one short transaction it goes into the trash. What is
left there becomes a tombstone (`empty_trash`), and then nobody has its bytes (`collect_blobs`). A
killed run goes on behind the last batch that was committed.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from artifacts.domain.pacing import FIRST, next_batch
from artifacts.models import Project, RetentionPlanItem, RetentionRun, RunState
from artifacts.queries.expiry import Known, expiry_sql, rules_of
from artifacts.queries.frontier import changed_since
from artifacts.queries.locking import holds_stand_still
from artifacts.usecases.discard_artifacts import Ended, Removal, discard_artifacts
from kernel import faults
from kernel.turns import only_one

logger = logging.getLogger(__name__)

WEEK: Final = timedelta(days=7)
_TURN: Final = 0x5354_4B45_4550  # any number that nobody else takes a turn with
# `place` is the plan's: what came later can only have pushed an artifact further out.
_STILL_DUE: Final = """
    SELECT artifact.id, expiry.ends, expiry.rule
    FROM retention_plan_item AS item JOIN artifact ON artifact.id = item.artifact_id
    CROSS JOIN LATERAL ({expiry}) AS expiry
    WHERE item.id = ANY(%s) AND expiry.ends <= %s
    ORDER BY artifact.id FOR UPDATE OF artifact
"""


def apply_retention(
    *,
    clock: Callable[[], datetime],
    trash: timedelta = WEEK,
    meter: Callable[[], float] = time.monotonic,
) -> RetentionRun | None:
    """Go on with the run that is under way, to its end; None where there is none, or others are.

    What goes can be restored for as long as `trash`. `meter` counts seconds: batches become smaller
    as long as they take too many. A run whose plan has become stale ends there, and says what
    changed.
    """
    with only_one(_TURN) as is_ours:
        run = RetentionRun.objects.filter(state=RunState.RUNNING).first() if is_ours else None
        if run is None:
            return None
        size, began = FIRST, meter()
        while _take_batch(run.pk, size=size, trash=trash, now=clock()):
            faults.reach("artifacts.retired")
            ended = meter()
            size, began = next_batch(size, took_seconds=ended - began), ended
        run.refresh_from_db()
    logger.info(
        "retention run ended",
        extra={"plan": str(run.plan_id), "state": run.state, "removed": run.removed_artifacts},
    )
    return run


def _take_batch(run_id: UUID, *, size: int, trash: timedelta, now: datetime) -> bool:
    """Remove the next artifacts of the plan; False when the run has ended."""
    with transaction.atomic(durable=True):
        holds_stand_still()
        found = RetentionRun.objects.select_for_update(of=("self",)).select_related("plan")
        run = found.get(pk=run_id)
        changed = changed_since(run.plan)
        items = _next_items(run, size)
        if run.cancel_asked_at is not None:
            _end(run, RunState.CANCELLED, now=now)
        elif changed:
            _end(run, RunState.STALE, now=now, changed=changed)
        elif not items:
            _end(run, RunState.DONE, now=now)
        else:
            _remove(run, items, trash=trash, now=now)
            faults.reach("artifacts.retiring")
        return run.state == RunState.RUNNING


def _next_items(run: RetentionRun, size: int) -> list[RetentionPlanItem]:
    """The next of the plan, of one project: others may have other rules."""
    found = RetentionPlanItem.objects.filter(plan=run.plan_id, pk__gt=run.item)
    items = list(found.order_by("id")[:size])
    return [one for one in items if one.project_id == items[0].project_id]


def _remove(
    run: RetentionRun, items: Sequence[RetentionPlanItem], *, trash: timedelta, now: datetime
) -> None:
    removal = Removal(run.started_by, now, now + trash, plan=run.plan_id)
    gone = discard_artifacts(removal=removal, ended=_still_due(items, now=now))
    run.item = items[-1].pk
    run.removed_artifacts += gone.artifacts
    run.removed_bytes += gone.logical_bytes
    run.spared_artifacts += len(items) - gone.artifacts
    run.save()


def _still_due(items: Sequence[RetentionPlanItem], *, now: datetime) -> dict[UUID, Ended]:
    """Those that are still there, and still over; locked until the commit."""
    project = Project.objects.select_related("organization").get(pk=items[0].project_id)
    known = Known(place="item.place" if items[0].place is not None else None)
    made = expiry_sql(rules_of(project), now=now, known=known)
    with connection.cursor() as cursor:
        cursor.execute(
            _STILL_DUE.format(expiry=made.sql.text),
            [*made.sql.parameters, [one.pk for one in items], now],
        )
        return {
            artifact: Ended(ends, made.expire[rule].cited)
            for artifact, ends, rule in cursor.fetchall()
        }


def _end(
    run: RetentionRun, state: RunState, *, now: datetime, changed: Sequence[object] = ()
) -> None:
    run.state, run.ended_at = state, now
    run.changed = list(changed)
    run.save()
