"""Attest jobs that their platform is asked about first: claim, ask, decide, sign, record.

Apart from `attest_builds`, so that a slow API holds up nobody else. The answer stays in this
process: no row can claim that a job was confirmed (docs/adr/0013).
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import datetime, timedelta
from typing import Final, assert_never
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from kernel import faults
from kernel.metrics import CONFIRMATIONS
from provenance.domain.backoff import delay
from provenance.domain.build_facts import MalformedFacts, Witnessed
from provenance.domain.confirmation import Confirmation
from provenance.errors import JobContradicted, JobUnknown, PlatformUnavailable
from provenance.models import AttestationRequest, ConfirmationOutcome, RequestState
from provenance.ports import RunConfirmation
from provenance.usecases.attest_builds import (
    LEASE,
    Attestor,
    Endings,
    lease_due,
    look_up_transparency,
    save_statements,
    sign_and_record,
    write_statement,
)
from provenance.usecases.record_attestations import (
    SECOND_ASKED_AFTER,
    Work,
    postpone,
    refuse_request,
)

logger = logging.getLogger(__name__)

# Asked at once, each in a thread of its own; whoever has not answered in time counts as away. The
# sum stays far below the lease.
BATCH: Final = 8
ANSWER_SECONDS: Final = 10
# How long a platform still knows its jobs well enough to be worth asking again.
GIVEN_UP_AFTER: Final = timedelta(days=1)

Answer = Confirmation | JobContradicted | JobUnknown | PlatformUnavailable | MalformedFacts


def attest_confirmed_jobs(
    *, attestor: Attestor, endings: Endings, clock: Callable[[], datetime]
) -> int:
    """Attest up to 8 jobs whose platform is to be asked, and say how many were claimed.

    A contradiction, or a job that the platform does not know, refuses the build. A platform that
    does not answer is asked again for a while; then the build is attested as unconfirmed, and a
    second statement follows if the platform confirms the job within a day.
    """
    claimed = _claim(attestor.asked_issuers, now=clock())
    if not claimed:
        return 0
    faults.reach("provenance.asking")
    answers = _ask(attestor.confirmation, claimed, now=clock())
    faults.reach("provenance.answered")
    works = _decide(attestor, endings, claimed, answers, now=clock())
    faults.reach("provenance.decided")
    if works:
        sign_and_record(attestor=attestor, works=works, endings=endings, clock=clock)
    return len(claimed)


def _claim(issuers: frozenset[str], *, now: datetime) -> list[AttestationRequest]:
    """Lease what is due, and what waits for a second statement."""
    lane = Q(issuer_name__in=issuers) | Q(confirms__isnull=False)
    with transaction.atomic(durable=True):
        return lease_due(lane=lane, size=BATCH, now=now)


def _ask(
    confirmation: RunConfirmation | None, claimed: Sequence[AttestationRequest], *, now: datetime
) -> Mapping[UUID, Answer]:
    """Every request's answer, in no more time than ANSWER_SECONDS."""
    if confirmation is None:
        nobody = PlatformUnavailable(reason="nobody said which API to ask")
        return dict.fromkeys((request.pk for request in claimed), nobody)
    pool = ThreadPoolExecutor(len(claimed), thread_name_prefix="confirmation")
    asked = {
        request.pk: pool.submit(_answer, confirmation, request.facts, request.sealed_at, now)
        for request in claimed
    }
    wait(asked.values(), timeout=ANSWER_SECONDS)
    # Not waited for: what is left in a thread ends by its own limits, and nobody reads it.
    pool.shutdown(wait=False, cancel_futures=True)
    slow = PlatformUnavailable(reason="too slow")
    return {key: future.result() if future.done() else slow for key, future in asked.items()}


def _answer(
    confirmation: RunConfirmation,
    stored: Mapping[str, object] | None,
    sealed_at: datetime,
    now: datetime,
) -> Answer:
    try:
        facts = Witnessed.from_json(stored or {})
    except MalformedFacts as refusal:
        return refusal
    return confirmation.ask(facts, sealed_at=sealed_at, now=now)


def _decide(
    attestor: Attestor,
    endings: Endings,
    claimed: Sequence[AttestationRequest],
    answers: Mapping[UUID, Answer],
    *,
    now: datetime,
) -> list[Work]:
    """Settle each request by its answer, in one transaction; the answer is what is to be signed.

    A request whose lease somebody else has taken over is left to them.
    """
    works: list[Work | None] = []
    with transaction.atomic(durable=True):
        leases = {request.pk: request.lease for request in claimed}
        locked = AttestationRequest.objects.select_for_update().filter(
            pk__in=leases, state=RequestState.PENDING
        )
        mine = [one for one in locked.order_by("id") if one.lease == leases[one.pk]]
        # Only now: while the platform was asked, a project may have become private.
        look_up_transparency(requests=mine, endings=endings)
        for request in mine:
            confirmation = _settle(request, answers[request.pk], attestor, endings, now=now)
            if request.state != RequestState.PENDING or request.lease is None:
                continue
            request.leased_until = now + LEASE
            request.save(update_fields=["leased_until"])
            works.append(
                write_statement(
                    request=request,
                    confirmation=confirmation,
                    endings=endings,
                    base_url=attestor.base_url,
                    now=now,
                )
            )
        written = [work for work in works if work is not None]
        save_statements(works=written)
    return written


def _settle(
    request: AttestationRequest,
    answer: Answer,
    attestor: Attestor,
    endings: Endings,
    *,
    now: datetime,
) -> Confirmation | None:
    """What counts as the job's confirmation; a request that is not to be signed has lost its lease.

    Without one, a request that keeps its lease is signed as unconfirmed.
    """
    match answer:
        case Confirmation():
            return _heard(request, answer, now=now)
        case JobContradicted() | JobUnknown():
            told = {"code": answer.code, **answer.facts}
            _tell(request, ConfirmationOutcome.REFUTED, told)
            refuse_request(request=request, refusal=answer, endings=endings, now=now)
            # A published build whose platform contradicts it is somebody's to look at.
            level = logging.WARNING if request.confirms_id is None else logging.ERROR
            logger.log(level, "job refuted", extra={"build": str(request.build_id), **told})
        case PlatformUnavailable():
            _wait(request, answer, attestor.confirmation_wait, now=now)
        case MalformedFacts():
            postpone(request=request, refusal=answer, lease=request.lease, now=now)
        case _:
            assert_never(answer)
    return None


def _heard(
    request: AttestationRequest, answer: Confirmation, *, now: datetime
) -> Confirmation | None:
    facts = Witnessed.from_json(request.facts or {})
    request.unanswered_since = None
    if answer.suffices(facts):
        _tell(request, ConfirmationOutcome.CONFIRMED, answer.to_json())
        return answer
    _tell(request, ConfirmationOutcome.INCOMPLETE, answer.to_json())
    if request.confirms_id is not None:
        _give_up(request, now=now)
    return None


def _wait(
    request: AttestationRequest, refusal: PlatformUnavailable, patience: timedelta, *, now: datetime
) -> None:
    """Have the platform asked again, or stop waiting for it."""
    since = request.unanswered_since or now
    request.unanswered_since = since
    told = {"code": refusal.code, **refusal.facts}
    _tell(request, ConfirmationOutcome.UNREACHABLE, told)
    is_second = request.confirms_id is not None
    until = request.sealed_at + GIVEN_UP_AFTER if is_second else since + patience
    if now >= until:
        if is_second:
            _give_up(request, now=now)
        return
    pause = max(
        delay(attempts=request.attempts, request=request.pk),
        timedelta(seconds=int(str(refusal.facts.get("retry_after_seconds", 0)))),
        SECOND_ASKED_AFTER if is_second else timedelta(0),
    )
    request.lease = request.leased_until = None
    request.next_attempt_at = min(now + pause, until)
    request.last_error = told
    request.save(update_fields=["lease", "leased_until", "next_attempt_at", "last_error"])
    logger.warning("job not confirmed", extra={"build": str(request.build_id), **told})


def _give_up(request: AttestationRequest, *, now: datetime) -> None:
    """No second statement: the build stays published as unconfirmed."""
    request.state = RequestState.GIVEN_UP
    request.lease = request.leased_until = None
    request.ended_at = now
    request.save(update_fields=["state", "lease", "leased_until", "ended_at"])


def _tell(
    request: AttestationRequest, outcome: ConfirmationOutcome, told: Mapping[str, object]
) -> None:
    """Write down what came of asking, for whoever looks at the queue."""
    CONFIRMATIONS.labels(outcome.value).inc()
    request.confirmation = outcome
    request.confirmation_told = dict(told)
    request.save(update_fields=["confirmation", "confirmation_told", "unanswered_since"])
