"""Repair what a report found, and nothing else: whoever repairs has seen what it is."""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from artifacts.domain.reconciliation import Difference
from artifacts.domain.transfer import UploadState
from artifacts.errors import CollectorBusy, ReportOutdated
from artifacts.models import Blob, BlobState, Discrepancy, Reconciliation, Upload
from artifacts.ports import Copy, Listed
from artifacts.queries.bucket_holds import covered_since
from artifacts.queries.locking import collectors_turn
from artifacts.usecases.collect_blobs import condemn_orphans
from artifacts.usecases.collect_litter import PATIENCE
from artifacts.usecases.map_holds import hold_objects
from artifacts.usecases.mark_damaged import mark_damaged
from artifacts.usecases.mend_blob import Copies, mend_blob
from artifacts.usecases.reconcile_store import Kept, is_broken
from artifacts.usecases.remove_condemned import remove_condemned
from kernel import faults
from kernel.actor import Actor
from kernel.audit.record import record

logger = logging.getLogger(__name__)

MOST_AGE: Final = timedelta(days=1)
GONE: Final = "gone"  # it was repaired, or has gone by itself, since the report
BROKEN: Final = frozenset({Difference.MISSING, Difference.DIFFERS})


@dataclass(frozen=True, slots=True)
class Repair:
    """What a repair works with: the store, and where whole copies may be."""

    kept: Kept
    copies: Copies
    actor: Actor


def repair_store(
    *,
    report: Reconciliation,
    repair: Repair,
    now: datetime,
    told: Callable[[Discrepancy, str], None],
) -> Counter[str]:
    """Repair each difference of the report that is still there, and count what was done.

    A blob without its bytes takes over a whole copy where there is one, which is measured first,
    and is marked as damaged where there is none. Bytes without a row are collected after their
    grace, unless they may mend a damaged blob. Uploads that were left are given up. The bucket is
    let hold what a legal hold covers; what it holds and none covers stays, as whoever locked it
    may have a reason (`release_objects`). Each is looked at again before; a repeat, also after a
    kill, does what is left. `told` hears of each.

    Raises:
        ReportOutdated: the report is more than a day old.
        CollectorBusy: somebody is collecting or repairing at this moment.
        StorageUnavailable: the store cannot be reached now; what was done is done.
    """
    if now - report.started_at > MOST_AGE:
        raise ReportOutdated(report=report.pk, started_at=report.started_at)
    done: Counter[str] = Counter()
    with collectors_turn() as is_ours:
        if not is_ours:
            raise CollectorBusy
        # Blobs first: bytes that mend one are not collected.
        for difference in (*sorted(BROKEN), Difference.ORPHAN, Difference.UNHELD):
            found = report.discrepancies.filter(difference=difference).order_by("id")
            for one in found.iterator():
                match difference:
                    case Difference.ORPHAN:
                        outcome = _collect(one)
                    case Difference.UNHELD:
                        outcome = _hold(one, repair, now=now)
                    case _:
                        outcome = _restore(one, repair, now=now)
                done[outcome] += 1
                told(one, outcome)
        remove_condemned(inventory=repair.kept.inventory, now=now)
        done["given-up"] += _give_up(report, repair)
    with transaction.atomic(durable=True):
        record(
            repair.actor,
            "store.repair",
            repair.kept.name[:500],
            now=now,
            report=str(report.pk),
            done=dict(done),
        )
    logger.info("store repaired", extra={"report": str(report.pk), "done": dict(done)})
    return done


def _restore(one: Discrepancy, repair: Repair, *, now: datetime) -> str:
    blob = Blob.objects.filter(key=one.key, state=BlobState.LIVE).first()
    refusal = is_broken(blob=blob, store=repair.kept.store) if blob is not None else None
    if blob is None or refusal is None:
        return GONE
    way = mend_blob(blob=blob, copies=repair.copies, now=now, actor=repair.actor)
    if way is not None:
        return way
    found = f"{refusal.facts.get('found_bytes', 'no')} bytes"
    mark_damaged(blob=blob, found=found, now=now, actor=repair.actor)
    faults.reach("artifacts.marked")
    return "marked"


def _collect(one: Discrepancy) -> str:
    listed = Listed(one.key, one.since, (Copy(one.found_bytes or 0),))
    if not condemn_orphans(listed=[listed]):
        return GONE
    faults.reach("artifacts.orphaned")
    return "collected"


def _hold(one: Discrepancy, repair: Repair, *, now: datetime) -> str:
    blob = Blob.objects.filter(key=one.key, state=BlobState.LIVE).first()
    bucket = repair.kept.holds
    if blob is None or bucket is None or not covered_since([blob.pk], now=now):
        return GONE
    if bucket.are_held([blob.version]) == [True]:
        return GONE
    return "held" if hold_objects(bucket=bucket, blobs=[blob], now=now) else "left"


def _give_up(report: Reconciliation, repair: Repair) -> int:
    if not report.counts[Difference.ABANDONED]["count"]:
        return 0
    busy = Upload.objects.filter(state=UploadState.OPEN).values_list("key", flat=True)
    given_up = repair.kept.staging.sweep(before=report.started_at - PATIENCE, busy=frozenset(busy))
    faults.reach("artifacts.given_up")
    return given_up
