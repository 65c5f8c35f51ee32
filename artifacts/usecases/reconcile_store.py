"""Compare everything that a store holds with everything that the rows say, and keep a report.

One pass over two ordered streams, so that a bucket of any size costs the same memory. Both go on
changing meanwhile: a difference is only told when it is still there at a second look.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from artifacts.domain.reconciliation import Difference, OutOfOrder, paired
from artifacts.errors import BlobMissing, StorageUnavailable
from artifacts.models import Blob, BlobState, Discrepancy, Reconciliation
from artifacts.ports import Arrivals, Arriving, BlobStore, Inventory, Listed, ObjectHolds
from artifacts.queries.bucket_holds import can_hold
from artifacts.queries.reconciling import blobs_by_key, digest_claimed_by, keys_in_use
from artifacts.usecases.collect_blobs import GRACE
from artifacts.usecases.compare_holds import compare_holds
from kernel import faults
from kernel.outbox.emit import beat
from kernel.outbox.queries import heartbeat_age

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(days=1)
HEARTBEAT: Final = "reconcile_store"
BATCH: Final = 500
TELLS_EVERY: Final = 10_000
MOST_ROWS: Final = 1000  # of one difference; the counts are exact
Suspect = tuple[Listed | None, Blob | None]


@dataclass(frozen=True, slots=True)
class Kept:
    """A store with all that it can be asked, and its name in reports."""

    name: str
    store: BlobStore
    inventory: Inventory
    staging: Arrivals
    holds: ObjectHolds | None = None


@dataclass(slots=True)
class _Report:
    """What was seen so far."""

    counts: dict[str, dict[str, int]] = field(
        default_factory=lambda: {one.value: {"count": 0, "bytes": 0} for one in Difference}
    )
    totals: Counter[str] = field(default_factory=Counter)
    rows: list[Discrepancy] = field(default_factory=list)

    def add(self, difference: Difference, row: Discrepancy) -> None:
        """Count it, and keep its row while there are few."""
        counted = self.counts[difference]
        counted["count"] += 1
        # What it costs: where there is nothing, what should be there.
        known = row.expected_bytes if row.found_bytes is None else row.found_bytes
        counted["bytes"] += known or 0
        if counted["count"] <= MOST_ROWS:
            row.difference = difference
            self.rows.append(row)


def reconcile_store_when_due(*, kept: Kept, clock: Callable[[], datetime]) -> Reconciliation | None:
    """Compare if the last report is a day old; None when it is not time.

    Raises:
        StorageUnavailable: as `reconcile_store`.
    """
    age = heartbeat_age(HEARTBEAT, now=clock())
    if age is not None and age < EVERY:
        return None
    return reconcile_store(kept=kept, clock=clock)


def reconcile_store(
    *,
    kept: Kept,
    clock: Callable[[], datetime],
    progress: Callable[[int], None] | None = None,
) -> Reconciliation:
    """Find blobs without bytes or with others, bytes without a row, and uploads that were left.

    Where the bucket can hold objects, also those that it holds and the store does not, and the
    other way round.

    Nothing is changed. Blobs that are known to be damaged are only counted. Bytes without a row
    count after the collector's grace: until then it may still come. `progress` is told the number
    of keys now and then.

    Raises:
        StorageUnavailable: the store cannot be listed now, or lists out of order, or is empty
            while rows name bytes in it: then it is another place than it should be.
    """
    started_at = clock()
    with transaction.atomic(durable=True):
        beat(HEARTBEAT, now=started_at)  # also one that fails is tried again tomorrow, or by hand
    report, before = _Report(), started_at - GRACE
    bucket = kept.holds if can_hold(place=kept.name) else None
    seen: list[tuple[Listed, Blob]] = []
    suspects: list[Suspect] = []
    try:
        for listed, blob in paired(_keys(kept.inventory), blobs_by_key()):
            _count(report.totals, listed, blob, before=before)
            if listed is not None and blob is not None:
                seen.append((listed, blob))
            if len(seen) == BATCH:
                _compare(seen, bucket, report, now=started_at)
            if _is_suspect(listed, blob, before=before):
                suspects.append((listed, blob))
            if len(suspects) == BATCH:
                _confirm(suspects, kept.store, report)
                suspects.clear()
            if progress is not None and listed and report.totals["keys"] % TELLS_EVERY == 0:
                progress(report.totals["keys"])
    except OutOfOrder as error:
        raise StorageUnavailable(reason="the store lists its keys out of order") from error
    if report.totals["blobs"] and not report.totals["keys"]:
        raise StorageUnavailable(reason="nothing is stored where bytes should be", place=kept.name)
    _confirm(suspects, kept.store, report)
    _compare(seen, bucket, report, now=started_at)
    _find_abandoned(kept.staging, report, before=before)
    faults.reach("artifacts.reconciled")
    return _record(kept.name, report, started_at=started_at, ended_at=clock())


def is_broken(*, blob: Blob, store: BlobStore) -> BlobMissing | None:
    """Why the row's bytes cannot be opened; None where they can, or the row is another by now."""
    try:
        with store.open(blob.key, size_bytes=blob.size_bytes, pin=blob.pin):
            return None
    except BlobMissing as refusal:
        # Bytes go after their row: one that is live, with this key, after they were gone, lost them
        same = Blob.objects.filter(pk=blob.pk, key=blob.key, state=BlobState.LIVE)
        return refusal if same.exists() else None


def _keys(inventory: Inventory) -> Iterator[Listed]:
    after = ""
    while page := inventory.page(after=after):
        yield from page
        after = page[-1].key


def _count(
    totals: Counter[str], listed: Listed | None, blob: Blob | None, *, before: datetime
) -> None:
    if listed is not None:
        totals["keys"] += 1
        totals["stored_bytes"] += listed.size_bytes
        if blob is None and listed.written_at >= before:
            totals["fresh_bytes"] += listed.size_bytes
        if blob is not None:
            totals["superseded_bytes"] += max(0, listed.size_bytes - blob.size_bytes)
    if blob is not None:
        is_live = blob.state == BlobState.LIVE
        totals["blobs"] += is_live
        totals["blob_bytes"] += blob.size_bytes if is_live else 0
        totals["damaged_blobs"] += is_live and blob.damaged_at is not None
        if not is_live or blob.unreferenced_at is not None:
            totals["pending_free_bytes"] += blob.size_bytes
        if blob.stuck_at is not None:
            totals["stuck_blobs"] += 1
            totals["stuck_bytes"] += blob.size_bytes


def _is_suspect(listed: Listed | None, blob: Blob | None, *, before: datetime) -> bool:
    if blob is None:
        return listed is not None and listed.written_at < before
    if blob.state != BlobState.LIVE or blob.damaged_at is not None:
        return False
    copies = listed.copies if listed is not None else ()
    return not any(copy.is_of(blob.size_bytes, blob.pin) for copy in copies)


def _compare(
    seen: list[tuple[Listed, Blob]], bucket: ObjectHolds | None, report: _Report, *, now: datetime
) -> None:
    if bucket is not None:
        compare_holds(seen=seen, bucket=bucket, told=report.add, now=now)
    seen.clear()


def _confirm(suspects: list[Suspect], store: BlobStore, report: _Report) -> None:
    """The second look."""
    known = keys_in_use([listed.key for listed, blob in suspects if listed and blob is None])
    for listed, blob in suspects:
        if blob is not None:
            _confirm_broken(blob, listed, store, report)
        elif listed is not None and listed.key not in known:
            orphan = Discrepancy(
                key=listed.key,
                sha256=digest_claimed_by(listed.key),
                found_bytes=listed.size_bytes,
                since=listed.written_at,
            )
            report.add(Difference.ORPHAN, orphan)


def _confirm_broken(blob: Blob, listed: Listed | None, store: BlobStore, report: _Report) -> None:
    if is_broken(blob=blob, store=store) is None:
        return
    newest = [copy for copy in listed.copies if copy.is_newest] if listed is not None else []
    row = Discrepancy(
        key=blob.key,
        sha256=blob.sha256,
        expected_bytes=blob.size_bytes,
        found_bytes=newest[0].size_bytes if newest else None,
        since=blob.stored_at,
    )
    report.add(Difference.DIFFERS if newest else Difference.MISSING, row)


def _find_abandoned(staging: Arrivals, report: _Report, *, before: datetime) -> None:
    old: list[Arriving] = []
    for one in staging.arriving():
        report.totals["arriving"] += 1
        report.totals["arriving_bytes"] += one.size_bytes
        if one.begun_at < before:
            old.append(one)
        if len(old) == BATCH:
            _note_abandoned(old, report)
            old.clear()
    _note_abandoned(old, report)


def _note_abandoned(old: list[Arriving], report: _Report) -> None:
    busy = keys_in_use([one.key for one in old])
    for one in old:
        if one.key not in busy:
            row = Discrepancy(
                key=one.key,
                sha256=digest_claimed_by(one.key),
                found_bytes=one.size_bytes,
                since=one.begun_at,
            )
            report.add(Difference.ABANDONED, row)


def _record(
    place: str, report: _Report, *, started_at: datetime, ended_at: datetime
) -> Reconciliation:
    made = Reconciliation(
        place=place,
        started_at=started_at,
        ended_at=ended_at,
        counts=report.counts,
        totals=dict(report.totals),
    )
    with transaction.atomic(durable=True):
        made.save(force_insert=True)
        for row in report.rows:
            row.reconciliation = made
        Discrepancy.objects.bulk_create(report.rows)
    found = {name: counted["count"] for name, counted in report.counts.items() if counted["count"]}
    level = logging.WARNING if found else logging.INFO
    logger.log(level, "store reconciled", extra={"place": place, "differences": found})
    return made
