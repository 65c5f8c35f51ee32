"""Attest a batch of sealed builds: claim, sign, verify, record (docs/architecture.md, steps 5-7).

The row is the truth: work is leased on it, failures stand on it with the time of the next try,
and of two workers that sign the same request only one records.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.db.models import F, Q

from kernel import faults
from kernel.batches import work_off
from kernel.connections import over_a_restart
from provenance.domain.attesting import Asked, asked
from provenance.domain.build_facts import MalformedFacts, Witnessed
from provenance.domain.confirmation import Confirmation
from provenance.domain.removal import asked_removal
from provenance.domain.slsa_v1 import Sealed, UnattestableEvent
from provenance.domain.statement import MalformedStatement
from provenance.models import AttestationRequest, RequestState
from provenance.usecases.record_attestations import (
    Endings,
    Work,
    postpone,
    record_attestations,
    refuse_request,
    subjects_of,
)
from provenance.usecases.sign_statements import Attestor, sign_statements

# `Endings` and `Attestor` are part of this verb's own interface.
__all__ = [
    "BATCH",
    "LEASE",
    "Attestor",
    "Endings",
    "asked_for",
    "attest_builds",
    "claim_works",
    "lease_due",
    "look_up_transparency",
    "save_statements",
    "sign_and_record",
    "write_statement",
]

BATCH: Final = 32
LEASE: Final = timedelta(seconds=60)


def attest_builds(*, attestor: Attestor, endings: Endings, clock: Callable[[], datetime]) -> int:
    """Attest what is due and waits for no platform; say how many requests were claimed.

    Batch after batch of 32, while full ones are waiting, and as many side by side as is worth it
    to the signer: while one batch is recorded and the next claimed, another waits for its log.
    Running it twice, at once or again, gives each request one attestation that counts. What
    could not be signed stays pending with a reason and the time of its next attempt.
    """
    lane = Q(confirms=None, build_id__isnull=False) & ~Q(issuer_name__in=attestor.asked_issuers)

    def claim() -> list[Work]:
        claimed = claim_works(attestor=attestor, endings=endings, lane=lane, now=clock())
        if claimed:
            faults.reach("provenance.claimed")
        return claimed

    def finish(works: Sequence[Work]) -> None:
        sign_and_record(attestor=attestor, works=works, endings=endings, clock=clock)

    return work_off(claim=claim, finish=finish, size=BATCH, at_once=attestor.batches_at_once)


def sign_and_record(
    *,
    attestor: Attestor,
    works: Sequence[Work],
    endings: Endings,
    clock: Callable[[], datetime],
) -> None:
    """Sign leased work outside of any transaction, then keep what verifies in one."""
    outcomes = sign_statements(attestor=attestor, works=works, now=clock())
    faults.reach("provenance.signed")

    def record() -> None:
        record_attestations(
            works=works,
            outcomes=outcomes,
            endings=endings,
            signer_of=attestor.signer_name,
            now=clock(),
        )

    # What is dropped here waits until its lease ends, and is signed and logged again.
    over_a_restart(record, wait=attestor.wait)
    faults.reach("provenance.recorded")


def lease_due(*, lane: Q, size: int, now: datetime) -> list[AttestationRequest]:
    """Lease the first requests of a lane that are due and that nobody else is at. Joins.

    Second statements come after those that somebody waits for.
    """
    free = Q(leased_until=None) | Q(leased_until__lt=now)
    due = AttestationRequest.objects.select_for_update(skip_locked=True).filter(
        free, lane, state=RequestState.PENDING, next_attempt_at__lte=now
    )
    ordered = due.annotate(is_second=Q(confirms__isnull=False)).order_by(
        "is_second", "next_attempt_at", "requested_at"
    )
    requests: list[AttestationRequest] = list(ordered[:size])
    lease, until = uuid.uuid4(), now + LEASE
    for request in requests:
        request.lease, request.leased_until = lease, until
        request.attempts += 1
    leased = AttestationRequest.objects.filter(pk__in=[request.pk for request in requests])
    leased.update(lease=lease, leased_until=until, attempts=F("attempts") + 1)
    return requests


def claim_works(
    *, attestor: Attestor, endings: Endings, lane: Q, size: int = BATCH, now: datetime
) -> list[Work]:
    """Lease what is due. The statement's bytes are made once, at the first claim, and saved."""
    with transaction.atomic(durable=True):
        leased = lease_due(lane=lane, size=size, now=now)
        look_up_transparency(requests=leased, endings=endings)
        made = [
            write_statement(
                request=request,
                confirmation=None,
                endings=endings,
                base_url=attestor.base_url,
                now=now,
            )
            for request in leased
        ]
        works = [work for work in made if work is not None]
        save_statements(works=works)
    return works


def save_statements(*, works: Sequence[Work]) -> None:
    """Save what `write_statement` wrote, at once: a batch waits for each row it sends. Joins."""
    with connection.cursor() as cursor:
        # To write one statement with a case for each row takes as long as to sign them.
        cursor.executemany(
            "UPDATE attestation_request SET statement = %s, transparency = %s WHERE id = %s",
            [(one.asked.statement, one.request.transparency, one.request.pk) for one in works],
        )


def look_up_transparency(*, requests: Sequence[AttestationRequest], endings: Endings) -> None:
    """Set where leased requests may be recorded while their lease holds; not yet saved. Joins.

    The owner's answer stands until this transaction ends, and whoever changes it afterwards sees
    the lease: so a project that has become private has nothing on its way into a public log.
    """
    allowed = endings.transparencies(projects={request.project_id for request in requests})
    for request in requests:
        request.transparency = allowed[request.project_id]


def write_statement(
    *,
    request: AttestationRequest,
    confirmation: Confirmation | None,
    endings: Endings,
    base_url: str,
    now: datetime,
) -> Work | None:
    """Write the statement's exact bytes to a leased request; `save_statements` saves it. Joins.

    None where there is none to make: the request is refused, or its row cannot be read and
    waits, so that it does not keep the rest of the queue waiting.
    """
    try:
        wanted = asked_for(request=request, confirmation=confirmation, base_url=base_url)
    except UnattestableEvent as refusal:
        refuse_request(request=request, refusal=refusal, endings=endings, now=now)
        return None
    except (MalformedFacts, MalformedStatement) as refusal:
        postpone(request=request, refusal=refusal, lease=request.lease, now=now)
        return None
    request.statement = wanted.statement
    return Work(request, wanted)


def asked_for(
    *, request: AttestationRequest, confirmation: Confirmation | None, base_url: str
) -> Asked:
    """What a signer is asked for a request.

    Only an answer that this process has just got confirms a job; no row can say so.

    Raises:
        UnattestableEvent: the job's commit is not the code that ran.
        MalformedFacts, MalformedStatement: the row cannot be read.
    """
    if request.build_id is None:
        return asked_removal(bytes(request.statement or b""), base_url=base_url)
    facts = Witnessed.from_json(request.facts) if request.facts is not None else None
    if facts is not None:
        facts = replace(facts, confirmed=confirmation is not None)
    sealed = Sealed(
        project=request.project_id,
        build=request.build_id,
        opened_at=request.opened_at,
        sealed_at=request.sealed_at,
    )
    return asked(
        subjects_of(request=request), facts, sealed, confirmation=confirmation, base_url=base_url
    )
