"""Start a bulk action: somebody has seen what it does, in numbers, and says it again."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from artifacts.domain.bulk import Act, BulkActionDiffers, Outcome
from artifacts.domain.reasons import require_reason
from artifacts.events import BulkActionStarted
from artifacts.models import BulkAction, BulkRun
from artifacts.queries.bulk_outcomes import outcomes_now
from artifacts.usecases.use_list import use_list
from kernel.actor import Actor
from kernel.audit.record import record
from kernel.outbox.emit import emit


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The project's name, how many artifacts it would be done to as was shown, and why."""

    project: str
    artifacts: int
    reason: str


def start_bulk_action(
    *, action: BulkAction, confirmed: Confirmation, actor: Actor, now: datetime
) -> BulkRun:
    """Let it be done by a worker; again is harmless, and gives the run that there is.

    Raises:
        Unauthenticated, PermissionMissing: the actor may not do it to one.
        ReasonMissing: there is none.
        ListForgotten: it was not started in time.
        BulkActionDiffers: the project is called otherwise, or the number is another by now.
    """
    actor.require(Act(action.act).permission, project=action.project_id)
    existing = BulkRun.objects.filter(bulk_action=action).first()
    if existing is not None:
        return existing
    require_reason(confirmed.reason)
    with transaction.atomic(durable=True):
        # Before it is looked at: from here on it stays.
        use_list(question=action, now=now)
        _require_same(action, confirmed, now=now)
        run, is_new = BulkRun.objects.get_or_create(
            bulk_action=action,
            defaults={
                "reason": confirmed.reason,
                "started_at": now,
                "started_by": actor.name,
            },
        )
        if is_new:
            record(
                actor,
                "bulk-action.start",
                str(action.project),
                now=now,
                organization=action.project.organization_id,
                bulk_action=str(action.pk),
                act=action.act,
                selection=action.selection,
                artifacts=confirmed.artifacts,
                logical_bytes=action.logical_bytes,
                reason=confirmed.reason,
            )
            emit(BulkActionStarted(bulk_action_id=action.pk), now=now)
    return run


def _require_same(action: BulkAction, confirmed: Confirmation, *, now: datetime) -> None:
    counted = outcomes_now(action, now=now)
    by_now = counted.get(Outcome.DONE, 0)
    if (confirmed.project, confirmed.artifacts) != (str(action.project), by_now):
        raise BulkActionDiffers(
            bulk_action=action.pk,
            project=str(action.project),
            confirmed_project=confirmed.project,
            artifacts=by_now,
            confirmed_artifacts=confirmed.artifacts,
            expected=dict(counted),
        )
