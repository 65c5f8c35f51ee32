"""Cancel a retention run: it ends behind the batch that is under way."""

from datetime import datetime

from django.db import transaction

from artifacts.models import RetentionRun, RunState
from artifacts.queries.frontier import holder_of_plan
from kernel.actor import Actor
from kernel.audit.record import record


def cancel_retention_run(*, run: RetentionRun, actor: Actor, now: datetime) -> RetentionRun:
    """Ask the run to end. What has been removed stays so; again, or too late, changes nothing.

    Raises:
        Unauthenticated, PermissionMissing: the actor may not decide about what the plan is about.
    """
    holder = holder_of_plan(run.plan)
    holder.require_owned(actor)
    with transaction.atomic(durable=True):
        found = RetentionRun.objects.select_for_update(of=("self",)).select_related("plan")
        held = found.get(pk=run.pk)
        if held.state == RunState.RUNNING and held.cancel_asked_at is None:
            held.cancel_asked_at = now
            held.save(update_fields=["cancel_asked_at"])
            record(
                actor,
                "retention.cancel",
                holder.name,
                now=now,
                organization=holder.organization,
                plan=str(held.plan_id),
                before={"cancel_asked_at": None},
                after={"cancel_asked_at": now.isoformat()},
            )
    return held
