"""Run retention by the clock: a plan of the whole store, and its run, where that is not too much.

What goes beyond the limits waits for a person, who sees the plan and applies it, or does not.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from artifacts.domain.retention_limits import Exceeded, RunLimits
from artifacts.errors import RetentionPlanStale, RetentionRunUnderWay
from artifacts.models import RetentionPlan, RetentionRun, RetentionWait, RunState
from artifacts.queries.retention import Holder
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.start_retention_run import start_retention_run
from kernel.actor import Actor, Grant, Permission
from kernel.audit.record import record
from kernel.outbox.emit import beat
from kernel.outbox.queries import heartbeat_age

logger = logging.getLogger(__name__)

HEARTBEAT: Final = "schedule_retention"
SCHEDULER: Final = Actor("store.retention", frozenset({Grant(Permission.ADMINISTER)}))


def schedule_retention_when_due(
    *, every: timedelta, limits: RunLimits, now: datetime
) -> RetentionPlan | None:
    """Plan and run retention if the last time was so long ago; None when it is not time.

    A new store begins after one such time, not in its first minute. While a run is under way it
    is not time: whatever it takes away would make the plan stale.
    """
    age = heartbeat_age(HEARTBEAT, now=now)
    if age is not None and age < every:
        return None
    with transaction.atomic(durable=True):
        beat(HEARTBEAT, now=now)
    if age is None or RetentionRun.objects.filter(state=RunState.RUNNING).exists():
        return None
    return schedule_retention(limits=limits, now=now)


def schedule_retention(*, limits: RunLimits, now: datetime) -> RetentionPlan:
    """Plan what goes of the whole store, and start its run unless that is beyond a limit."""
    plan = plan_retention(holder=Holder.instance(), actor=SCHEDULER, now=now)
    exceeded = limits.exceeded(
        artifacts=plan.artifacts, looked_at=plan.looked_at, logical_bytes=plan.logical_bytes
    )
    if exceeded:
        _let_wait(plan, exceeded, now=now)
    elif plan.artifacts:
        try:
            start_retention_run(plan=plan, actor=SCHEDULER, now=now)
        except (RetentionPlanStale, RetentionRunUnderWay) as refusal:
            # A person changed a policy, or was first: the next time sees what is left.
            logger.info("scheduled run left out", extra={"refusal": str(refusal)})
    return plan


def _let_wait(plan: RetentionPlan, exceeded: list[Exceeded], *, now: datetime) -> None:
    with transaction.atomic(durable=True):
        RetentionWait.objects.create(plan=plan, since=now, exceeded=exceeded)
        record(
            SCHEDULER,
            "retention.wait",
            Holder.instance().name,
            now=now,
            plan=str(plan.pk),
            exceeded=exceeded,
        )
    logger.warning(
        "scheduled run waits for approval",
        extra={"plan": str(plan.pk), "limits": [one["limit"] for one in exceeded]},
    )
