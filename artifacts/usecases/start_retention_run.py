"""Start a retention run: somebody has seen a plan, and lets it be applied."""

from datetime import datetime

from django.db import IntegrityError, transaction

from artifacts.errors import RetentionPlanStale, RetentionRunUnderWay
from artifacts.events import RetentionRunStarted
from artifacts.models import RetentionPlan, RetentionRun, RunState
from artifacts.queries.fates import require_list
from artifacts.queries.frontier import changed_since, holder_of_plan
from artifacts.usecases.use_list import use_list
from kernel.actor import Actor
from kernel.audit.record import record
from kernel.outbox.emit import emit


def start_retention_run(*, plan: RetentionPlan, actor: Actor, now: datetime) -> RetentionRun:
    """Let the plan be applied; again is harmless, and gives the run that there is.

    Raises:
        Unauthenticated, PermissionMissing: the actor may not decide about what the plan is about.
        ListForgotten: nobody had it applied in time.
        RetentionPlanStale: it says something else now; `changed` is what has changed.
        RetentionRunUnderWay: another plan is being applied.
    """
    holder = holder_of_plan(plan)
    holder.require_owned(actor)
    existing = RetentionRun.objects.filter(plan=plan).first()
    if existing is not None:
        return existing
    require_list(plan)
    changed = changed_since(plan)
    if changed:
        raise RetentionPlanStale(plan=plan.pk, made_at=plan.made_at, changed=changed)
    try:
        with transaction.atomic(durable=True):
            use_list(question=plan, now=now)
            run = RetentionRun.objects.create(plan=plan, started_at=now, started_by=actor.name)
            record(
                actor,
                "retention.apply",
                holder.name,
                now=now,
                organization=holder.organization,
                plan=str(plan.pk),
                artifacts=plan.artifacts,
            )
            emit(RetentionRunStarted(plan_id=plan.pk), now=now)
    except IntegrityError:
        same = RetentionRun.objects.filter(plan=plan).first()
        if same is not None:
            return same
        other = RetentionRun.objects.filter(state=RunState.RUNNING).first()
        raise RetentionRunUnderWay(plan=other.plan_id if other is not None else None) from None
    return run
