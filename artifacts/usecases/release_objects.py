"""Release objects that the bucket holds and no legal hold covers: somebody has looked, and asks."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime

from django.db import transaction

from artifacts.domain.reconciliation import Difference
from artifacts.errors import CollectorBusy, ReportOutdated
from artifacts.models import Blob, BucketHold, Discrepancy, Reconciliation
from artifacts.ports import ObjectHolds, ObjectVersion
from artifacts.queries.bucket_holds import covered_since
from artifacts.queries.locking import mappers_turn
from artifacts.usecases.reconcile_store import Kept
from artifacts.usecases.repair_store import GONE, MOST_AGE
from kernel import faults
from kernel.actor import Actor
from kernel.audit.record import record

logger = logging.getLogger(__name__)


def release_objects(
    *,
    report: Reconciliation,
    kept: Kept,
    actor: Actor,
    now: datetime,
    told: Callable[[Discrepancy, str], None],
) -> Counter[str]:
    """Release what the report has as held by the bucket only, and count what was done.

    Whoever locked it is not asked: it may have been somebody beside the store. Each is looked at
    again before; what a legal hold covers by now stays held.

    Raises:
        ReportOutdated: the report is more than a day old.
        CollectorBusy: a worker changes what the bucket holds at this moment.
        StorageUnavailable: the bucket cannot be asked now; what was done is done.
    """
    if now - report.started_at > MOST_AGE:
        raise ReportOutdated(report=report.pk, started_at=report.started_at)
    done: Counter[str] = Counter()
    with mappers_turn() as is_ours:
        if not is_ours:
            raise CollectorBusy
        found = report.discrepancies.filter(difference=Difference.OVERHELD).order_by("id")
        for one in found.iterator():
            outcome = _release(one, kept, kept.holds, now=now) if kept.holds else GONE
            done[outcome] += 1
            told(one, outcome)
    with transaction.atomic(durable=True):
        record(
            actor,
            "store.release-objects",
            kept.name[:500],
            now=now,
            report=str(report.pk),
            done=dict(done),
        )
    logger.warning("objects released", extra={"report": str(report.pk), "done": dict(done)})
    return done


def _release(one: Discrepancy, kept: Kept, bucket: ObjectHolds, *, now: datetime) -> str:
    blob = Blob.objects.filter(key=one.key).first()
    if blob is not None and covered_since([blob.pk], now=now):
        return GONE
    listed = [there for there in kept.inventory.page(after=one.key[:-1]) if there.key == one.key]
    versions = [ObjectVersion(one.key, copy.pin) for there in listed for copy in there.copies]
    held = [
        version
        for version, is_held in zip(versions, bucket.are_held(versions), strict=True)
        if is_held
    ]
    if not held:
        return GONE
    released = all(bucket.release(held))
    faults.reach("artifacts.hold_ended")
    if released:
        BucketHold.objects.filter(key=one.key).delete()
    return "released" if released else "left"
