"""Cancel a bulk action: it ends behind the batch that is under way."""

from datetime import datetime

from django.db import transaction

from artifacts.domain.bulk import Act, BulkRunState
from artifacts.models import BulkAction, BulkRun
from kernel.actor import Actor
from kernel.audit.record import record


def cancel_bulk_action(*, action: BulkAction, actor: Actor, now: datetime) -> None:
    """Ask it to end. What has been done stays so; again, too early or too late changes nothing.

    Raises:
        Unauthenticated, PermissionMissing: the actor may not do what it does.
    """
    actor.require(Act(action.act).permission, project=action.project_id)
    with transaction.atomic(durable=True):
        run = BulkRun.objects.select_for_update().filter(bulk_action=action).first()
        if run is None or run.state != BulkRunState.RUNNING or run.cancel_asked_at is not None:
            return
        run.cancel_asked_at = now
        run.save(update_fields=["cancel_asked_at"])
        record(
            actor,
            "bulk-action.cancel",
            str(action.project),
            now=now,
            organization=action.project.organization_id,
            bulk_action=str(action.pk),
            before={"cancel_asked_at": None},
            after={"cancel_asked_at": now.isoformat()},
        )
