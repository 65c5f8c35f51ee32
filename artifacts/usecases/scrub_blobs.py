"""Scrub: measure stored bytes again, slowly and for ever, before somebody needs them.

The position stands on a row under a lease, so that a killed worker's successor goes on there. The
rate is kept as a debt: a blob is read as fast as it goes, and then nothing is for as long as that
was worth. No worker sleeps for it.
"""

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from artifacts.errors import BlobMissing, StorageUnavailable
from artifacts.models import Blob, BlobState, Scrub
from artifacts.models.scrub import THE_ONE
from artifacts.usecases.mark_damaged import mark_damaged
from artifacts.usecases.measure_blob import measure_blob
from artifacts.usecases.mend_blob import Copies, mend_blob
from kernel import faults
from kernel.connections import give_back
from kernel.metrics import SCRUBBED_BYTES

logger = logging.getLogger(__name__)

SLICE: Final = timedelta(seconds=15)  # a sweep starts the next one
LEASE: Final = timedelta(seconds=60)
HEARTBEAT: Final = timedelta(seconds=10)
MOST_BLOBS: Final = 5000  # of one slice, however small they are


class _LeaseLost(Exception):
    """Somebody else is at it."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """What one slice did: blobs and bytes that were read, and how many were found damaged."""

    blobs: int = 0
    size_bytes: int = 0
    damaged: int = 0


def scrub_blobs(
    *, copies: Copies, bytes_per_second: int, clock: Callable[[], datetime]
) -> Scrubbed | None:
    """Measure the blobs that come next, as many as the rate allows in a slice of 15 seconds.

    What is not as it was measured is marked as damaged, and mended where a whole copy is. Bytes
    that are gone are left to the reconciliation, which asks more before it believes that. None
    when nothing is due, or somebody else is at it.

    Raises:
        StorageUnavailable: the store cannot be read now; the position stays.
    """
    began = clock()
    scrub = _claim(now=began)
    if scrub is None:
        return None
    done = Scrubbed()
    most = bytes_per_second * int(SLICE.total_seconds())
    try:
        while done.size_bytes < most and done.blobs < MOST_BLOBS:
            blob = _next(scrub)
            if blob is None:
                _end_round(scrub, now=clock())
                break
            done = _add(done, blob, _scrub(blob, scrub, copies, clock))
            _move_on(scrub, blob, now=clock())
            faults.reach("artifacts.scrubbed")
    except _LeaseLost:
        logger.warning("lease lost", extra={"scrub": scrub.position})
        return done
    except StorageUnavailable:
        _release(scrub, rests_until=clock() + SLICE)
        raise
    _release(scrub, rests_until=began + timedelta(seconds=done.size_bytes / bytes_per_second))
    return done


def _claim(*, now: datetime) -> Scrub | None:
    Scrub.objects.bulk_create([Scrub(id=THE_ONE)], ignore_conflicts=True)
    with transaction.atomic(durable=True):
        scrub = Scrub.objects.select_for_update(skip_locked=True).first()
        if scrub is None or any(
            until is not None and until > now for until in (scrub.leased_until, scrub.rests_until)
        ):
            return None
        scrub.lease = uuid.uuid4()
        scrub.leased_until = now + LEASE
        if scrub.round_started_at is None:
            scrub.round_started_at = now
        scrub.save()
    return scrub


def _next(scrub: Scrub) -> Blob | None:
    behind = Blob.objects.filter(pk__gt=scrub.position, state=BlobState.LIVE)
    return behind.order_by("id").first()


def _scrub(blob: Blob, scrub: Scrub, copies: Copies, clock: Callable[[], datetime]) -> bool:
    """Whether it was found damaged just now."""
    renew_at = clock() + HEARTBEAT

    def renew() -> None:
        nonlocal renew_at
        if clock() >= renew_at:
            _update(scrub, leased_until=clock() + LEASE)
            give_back()
            renew_at = clock() + HEARTBEAT

    try:
        found = measure_blob(store=copies.store, stored=blob.stored, reading=renew)
    except BlobMissing as refusal:
        logger.warning("blob not scrubbed", extra={"key": blob.key, "refusal": str(refusal)})
        return False
    SCRUBBED_BYTES.inc(blob.size_bytes)
    if found.hex == blob.sha256:
        if blob.damaged_at is not None:
            mend_blob(blob=blob, copies=copies, now=clock())
        return False
    is_new = mark_damaged(blob=blob, found=found.hex, now=clock())
    faults.reach("artifacts.marked")
    mend_blob(blob=blob, copies=copies, now=clock())
    return is_new


def _add(done: Scrubbed, blob: Blob, is_damaged: bool) -> Scrubbed:  # noqa: FBT001 - one of ours
    return Scrubbed(
        done.blobs + 1, done.size_bytes + blob.size_bytes, done.damaged + int(is_damaged)
    )


def _move_on(scrub: Scrub, blob: Blob, *, now: datetime) -> None:
    scrub.position = blob.pk
    scrub.blobs += 1
    scrub.size_bytes += blob.size_bytes
    _update(
        scrub,
        position=scrub.position,
        blobs=scrub.blobs,
        size_bytes=scrub.size_bytes,
        leased_until=now + LEASE,
    )


def _end_round(scrub: Scrub, *, now: datetime) -> None:
    logger.info("all blobs scrubbed", extra={"blobs": scrub.blobs, "size_bytes": scrub.size_bytes})
    _update(
        scrub,
        position=0,
        blobs=0,
        size_bytes=0,
        round_started_at=None,
        last_round_ended_at=now,
    )


def _release(scrub: Scrub, *, rests_until: datetime) -> None:
    ours = Scrub.objects.filter(lease=scrub.lease)
    ours.update(lease=None, leased_until=None, rests_until=rests_until)


def _update(scrub: Scrub, **fields: object) -> None:
    if not Scrub.objects.filter(lease=scrub.lease).update(**fields):
        raise _LeaseLost
