"""Attest removals: claim, sign, verify, and record each with its tombstones (docs/adr/0049).

A queue of its own beside the builds', so that a day of removals keeps no upload waiting. Rows,
leases and tries are the same.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from kernel import faults
from kernel.batches import work_off
from kernel.connections import over_a_restart
from provenance.models import AttestationRequest, RequestState
from provenance.ports import Signed
from provenance.usecases.attest_builds import Attestor, Endings, claim_works
from provenance.usecases.record_attestations import (
    Work,
    attestation_of,
    end_attested,
    postpone,
)
from provenance.usecases.sign_statements import Outcome, sign_statements

logger = logging.getLogger(__name__)

# Statements of hundreds of files, each recorded with as many rows: a lease must outlast them.
BATCH: Final = 16


class Bury(Protocol):
    """Write the tombstones of a removal, in the transaction that keeps its attestation. Joins.

    False when not all of its files are still removed for good: then nothing is written, and what is
    left of them is free for another removal.
    """

    def __call__(self, *, removal: UUID, files: int, attestation: UUID, now: datetime) -> bool: ...


def attest_removals(
    *, attestor: Attestor, endings: Endings, bury: Bury, clock: Callable[[], datetime]
) -> int:
    """Attest the removals that are due; say how many statements were claimed.

    A repeat, also after a kill, does what is left: an attestation is kept with its tombstones or
    not at all. One that is no longer true is withdrawn, and what was signed of it is kept nowhere.
    """

    def claim() -> list[Work]:
        lane = Q(build_id=None)
        works = claim_works(attestor=attestor, endings=endings, lane=lane, size=BATCH, now=clock())
        if works:
            faults.reach("provenance.removal-claimed")
        return works

    def finish(works: Sequence[Work]) -> None:
        outcomes = sign_statements(attestor=attestor, works=works, now=clock())
        faults.reach("provenance.removal-signed")
        for work, outcome in zip(works, outcomes, strict=True):
            step = partial(_record, work, outcome, bury, clock)
            over_a_restart(step, wait=attestor.wait)
            faults.reach("provenance.removal-recorded")

    return work_off(claim=claim, finish=finish, size=BATCH, at_once=attestor.batches_at_once)


def _record(work: Work, outcome: Outcome, bury: Bury, clock: Callable[[], datetime]) -> None:
    """One statement a transaction: its rows are hundreds."""
    now = clock()
    with transaction.atomic(durable=True):
        locked = AttestationRequest.objects.select_for_update()
        request = locked.filter(pk=work.request.pk, state=RequestState.PENDING).first()
        if request is None:
            return  # somebody else has recorded it
        if not isinstance(outcome, Signed):
            postpone(request=request, refusal=outcome, lease=work.request.lease, now=now)
            return
        attestation = attestation_of(work=work, signed=outcome, now=now)
        files = len(request.subjects)
        # Its tombstones name the attestation: the database compares them at the commit.
        if bury(removal=request.pk, files=files, attestation=attestation.pk, now=now):
            attestation.save(force_insert=True)
            end_attested(requests=[request.pk], now=now)
        else:
            _withdraw(request, now=now)
        faults.reach("provenance.removal-recording")
    logger.info("removal ended", extra={"request": str(request.pk), "files": files})


def _withdraw(request: AttestationRequest, *, now: datetime) -> None:
    request.state, request.ended_at = RequestState.WITHDRAWN, now
    request.lease = request.leased_until = None
    request.save(update_fields=["state", "ended_at", "lease", "leased_until"])
