"""Do the repairs that were asked for; the row says how far, and a repeat does what is left."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction

from artifacts.errors import CollectorBusy, ReportOutdated, StorageUnavailable
from artifacts.models import Discrepancy, StoreRepair
from artifacts.usecases.mend_blob import Copies
from artifacts.usecases.reconcile_store import Kept
from artifacts.usecases.repair_store import Repair, repair_store
from kernel.actor import Actor

logger = logging.getLogger(__name__)

TELLS_EVERY: Final = 20


def repair_when_asked(
    *, kept: Kept, copies: Copies, clock: Callable[[], datetime]
) -> StoreRepair | None:
    """Do the repair that has waited longest, in the name of whoever asked; None if none is due.

    Where the collector is at it, or the store is away, it stays due for the next sweep. A report
    that has grown too old meanwhile ends it.
    """
    waiting = StoreRepair.objects.filter(ended_at=None, reconciliation__place=kept.name)
    asked = waiting.select_related("reconciliation").order_by("asked_at").first()
    if asked is None:
        return None
    repair = Repair(kept, copies, Actor(asked.asked_by))
    try:
        outcomes = repair_store(
            report=asked.reconciliation, repair=repair, now=clock(), told=_telling(asked)
        )
    except (CollectorBusy, StorageUnavailable) as refusal:
        logger.warning("repair postponed", extra={"refusal": str(refusal)})
        return None
    except ReportOutdated as refusal:
        return _end(asked, refused={"code": refusal.code}, now=clock())
    return _end(asked, outcomes=dict(outcomes), now=clock())


def _telling(asked: StoreRepair) -> Callable[[Discrepancy, str], None]:
    """Writes down how far it is, now and then."""
    looked_at = 0

    def tell(_one: Discrepancy, _outcome: str) -> None:
        nonlocal looked_at
        looked_at += 1
        if looked_at % TELLS_EVERY == 0:
            StoreRepair.objects.filter(pk=asked.pk).update(looked_at=looked_at)

    return tell


def _end(asked: StoreRepair, *, now: datetime, **ending: dict[str, object]) -> StoreRepair:
    with transaction.atomic(durable=True):
        asked.ended_at = now
        for name, value in ending.items():
            setattr(asked, name, value)
        asked.save(update_fields=["ended_at", *ending])
    return asked
