"""Ask for a repair: somebody has seen what a report lists, and lets a worker see to it."""

from datetime import datetime

from django.db import transaction

from artifacts.errors import ReportOutdated
from artifacts.events import StoreRepairAsked
from artifacts.models import Reconciliation, StoreRepair
from artifacts.usecases.repair_store import MOST_AGE
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from kernel.outbox.emit import emit


def ask_repair(*, report: Reconciliation, actor: Actor, now: datetime) -> StoreRepair:
    """Let the report's differences be repaired; again is harmless, and gives what was asked first.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the instance.
        ReportOutdated: the report is more than a day old: compare again, and look.
    """
    actor.require(Permission.ADMINISTER, project=None)
    if now - report.started_at > MOST_AGE:
        raise ReportOutdated(report=report.pk, started_at=report.started_at)
    with transaction.atomic(durable=True):
        asked, is_new = StoreRepair.objects.get_or_create(
            reconciliation=report, defaults={"asked_at": now, "asked_by": actor.name}
        )
        if is_new:
            counts = {name: counted["count"] for name, counted in report.counts.items()}
            record(
                actor,
                "store.ask-repair",
                report.place,
                now=now,
                report=str(report.pk),
                differences=counts,
            )
            emit(StoreRepairAsked(report_id=report.pk), now=now)
    return asked
