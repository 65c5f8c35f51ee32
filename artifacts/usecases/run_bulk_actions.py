"""Do what was asked of many artifacts: batch by batch, each of which looks at its own once more.

Actions take turns, so that a small one does not wait for a large one. A killed run goes on behind
the last batch that was committed.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection, transaction

from artifacts.domain.bulk import Act, BulkRunState, Outcome
from artifacts.domain.pacing import FIRST, next_batch
from artifacts.models import BulkAction, BulkActionItem, BulkRun
from artifacts.queries.bulk_outcomes import lock_and_decide
from artifacts.queries.locking import holds_stand_still
from artifacts.usecases.act_on_artifacts import Deed, act_on_artifacts
from kernel import faults
from kernel.actor import Actor
from kernel.audit.record import record
from kernel.turns import only_one

logger = logging.getLogger(__name__)

WEEK: Final = timedelta(days=7)
_TURN: Final = 0x5354_4255_4C4B  # any number that nobody else takes a turn with

# As one statement: there are as many as artifacts.
_OUTCOMES: Final = """
    INSERT INTO bulk_action_outcome (item_id, outcome, at)
    SELECT item, outcome, %s FROM unnest(%s::bigint[], %s::text[]) AS came (item, outcome)
"""


class _Item(NamedTuple):
    """What a batch asks of an item."""

    id: int
    artifact_id: UUID
    size_bytes: int


def run_bulk_actions(
    *,
    clock: Callable[[], datetime],
    trash: timedelta = WEEK,
    meter: Callable[[], float] = time.monotonic,
) -> int:
    """Go on with all that are under way, to their ends; how many ended. 0 where others do that.

    What is removed can be restored for as long as `trash`. `meter` counts seconds: batches become
    smaller as long as they take too many.
    """
    ended = 0
    with only_one(_TURN) as is_ours:
        sizes: dict[UUID, int] = {}
        while is_ours and (waiting := _under_way()):
            for action in waiting:
                size, began = sizes.get(action, FIRST), meter()
                ended += not _take_batch(action, size=size, trash=trash, now=clock())
                faults.reach("artifacts.bulk-acted")
                sizes[action] = next_batch(size, took_seconds=meter() - began)
    return ended


def _under_way() -> list[UUID]:
    found = BulkRun.objects.filter(state=BulkRunState.RUNNING).order_by("started_at")
    return list(found.values_list("pk", flat=True))


def _take_batch(action: UUID, *, size: int, trash: timedelta, now: datetime) -> bool:
    """Act on the next artifacts; False when the run has ended."""
    with transaction.atomic(durable=True):
        holds_stand_still()
        found = BulkRun.objects.select_for_update(of=("self",))
        run = found.select_related("bulk_action__project__organization").get(pk=action)
        items = BulkActionItem.objects.filter(bulk_action=action, pk__gt=run.item)
        batch = [_Item(*row) for row in items.order_by("id").values_list(*_Item._fields)[:size]]
        if run.cancel_asked_at is not None:
            _end(run, BulkRunState.CANCELLED, now=now)
        elif not batch:
            _end(run, BulkRunState.DONE, now=now)
        else:
            _act(run, batch, trash=trash, now=now)
            faults.reach("artifacts.bulk-acting")
        return run.state == BulkRunState.RUNNING


def _act(run: BulkRun, batch: Sequence[_Item], *, trash: timedelta, now: datetime) -> None:
    asked = run.bulk_action
    act = Act(asked.act)
    came = lock_and_decide(
        [one.artifact_id for one in batch], act=act, project=asked.project, now=now
    )
    due = [artifact for artifact, outcome in came.items() if outcome is Outcome.DONE]
    deed = Deed(act, reason=run.reason, by=run.started_by, at=now, trash=trash)
    came |= act_on_artifacts(artifacts=due, project=asked.project, deed=deed)
    outcomes = [came.get(one.artifact_id, Outcome.GONE) for one in batch]
    _write(batch, outcomes, now=now)
    run.item = batch[-1].id
    run.outcomes = dict(Counter(run.outcomes) + Counter(outcomes))
    run.done_bytes += sum(
        one.size_bytes
        for one, outcome in zip(batch, outcomes, strict=True)
        if outcome is Outcome.DONE
    )
    run.save()


def _write(batch: Sequence[_Item], outcomes: Sequence[Outcome], *, now: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_OUTCOMES, [now, [one.id for one in batch], list(map(str, outcomes))])


def _end(run: BulkRun, state: BulkRunState, *, now: datetime) -> None:
    run.state, run.ended_at = state, now
    run.save()
    asked: BulkAction = run.bulk_action
    record(
        Actor(run.started_by),
        "bulk-action.end",
        str(asked.project),
        now=now,
        organization=asked.project.organization_id,
        bulk_action=str(asked.pk),
        act=asked.act,
        state=state.value,
        outcomes=run.outcomes,
        done_bytes=run.done_bytes,
        reason=run.reason,
    )
    logger.info("bulk action ended", extra={"bulk_action": str(asked.pk), "state": state.value})
