"""Attest a batch of sealed builds: claim, sign, verify, record (docs/architecture.md, steps 5-7).

The row is the truth: work is leased on it, failures stand on it with the time of the next try,
and of two workers that sign the same request only one records.
"""

import hashlib
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, assert_never
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q

from kernel import faults
from kernel.digest import Sha256
from kernel.errors import Refusal
from kernel.metrics import SIGNING_FAILURES, SIGNING_SECONDS
from provenance.domain.attesting import Asked, asked
from provenance.domain.backoff import delay
from provenance.domain.build_facts import MalformedFacts, Witnessed
from provenance.domain.evidence import Expected, examine
from provenance.domain.scope import Scope
from provenance.domain.slsa_v1 import Sealed, UnattestableEvent
from provenance.domain.statement import Subject
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.models import Attestation, AttestationRequest, AttestationSubject, RequestState
from provenance.ports import BundleVerifier, Signed, Signer, SigningJob
from provenance.queries import trust_root, trust_state

logger = logging.getLogger(__name__)

BATCH: Final = 32
LEASE: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Attestor:
    """What attesting needs: who signs, who checks the signer, and the store's own URL."""

    signer: Signer
    verifier: BundleVerifier
    base_url: str


class Publish(Protocol):
    """Make an attested build visible, in the transaction that records its attestation."""

    def __call__(self, *, build_id: UUID, now: datetime) -> None: ...


class Refuse(Protocol):
    """End a build that can never be attested, in the transaction that says so."""

    def __call__(self, *, build_id: UUID, reason: Mapping[str, object], now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class Endings:
    """What the owner of builds does when one is attested or can never be; both join."""

    publish: Publish
    refuse: Refuse


@dataclass(frozen=True, slots=True)
class _Work:
    """A leased request with what the signer is asked for it."""

    request: AttestationRequest
    asked: Asked


def attest_builds(*, attestor: Attestor, endings: Endings, clock: Callable[[], datetime]) -> int:
    """Attest up to 32 requests that are due, and say how many were claimed.

    Running it twice, at once or again, gives each request one attestation that counts. What
    could not be signed stays pending with a reason and the time of its next attempt.
    """
    claimed = _claim(endings, base_url=attestor.base_url, now=clock())
    if not claimed:
        return 0
    faults.reach("provenance.claimed")
    outcomes = _sign(attestor, claimed)
    faults.reach("provenance.signed")
    _record(claimed, outcomes, endings, signer_name=attestor.signer.name, now=clock())
    faults.reach("provenance.recorded")
    return len(claimed)


def _claim(endings: Endings, *, base_url: str, now: datetime) -> list[_Work]:
    """Lease what is due. The statement's bytes are made once, at the first claim, and saved."""
    due = Q(leased_until=None) | Q(leased_until__lt=now)
    with transaction.atomic(durable=True):
        requests = AttestationRequest.objects.select_for_update(skip_locked=True).filter(
            due, state=RequestState.PENDING, next_attempt_at__lte=now
        )
        work = []
        for request in requests.order_by("next_attempt_at", "requested_at")[:BATCH]:
            try:
                wanted = _asked(request, base_url=base_url)
            except UnattestableEvent as refusal:
                _refuse(request, refusal, endings, now=now)
                continue
            except MalformedFacts as refusal:
                # A row that cannot be read must not keep the rest of the queue waiting.
                request.attempts += 1
                _postpone(request, refusal, lease=request.lease, now=now)
                continue
            request.statement = wanted.statement
            request.lease = uuid.uuid4()
            request.leased_until = now + LEASE
            request.attempts += 1
            request.save(update_fields=["statement", "lease", "leased_until", "attempts"])
            work.append(_Work(request, wanted))
    return work


def _asked(request: AttestationRequest, *, base_url: str) -> Asked:
    facts = Witnessed.from_json(request.facts) if request.facts is not None else None
    sealed = Sealed(
        project=request.project_id,
        build=request.build_id,
        opened_at=request.opened_at,
        sealed_at=request.requested_at,
    )
    return asked(_subjects(request), facts, sealed, base_url=base_url)


def _subjects(request: AttestationRequest) -> tuple[Subject, ...]:
    return tuple(Subject(name, Sha256(digest)) for name, digest in request.subjects)


def _refuse(
    request: AttestationRequest, refusal: Refusal, endings: Endings, *, now: datetime
) -> None:
    reason = {"code": refusal.code, **refusal.facts}
    request.state = RequestState.REFUSED
    request.last_error = reason
    request.ended_at = now
    request.save(update_fields=["state", "last_error", "ended_at"])
    endings.refuse(build_id=request.build_id, reason=reason, now=now)


def _sign(
    attestor: Attestor, claimed: Sequence[_Work]
) -> list[Signed | SignerRefused | SignerUnavailable]:
    """Sign outside of any transaction, and believe no signer: each bundle is verified here."""
    jobs = [
        SigningJob(work.asked.statement, work.asked.identity, work.asked.claims) for work in claimed
    ]
    try:
        answers = attestor.signer.sign(jobs)
    except SignerUnavailable as refusal:
        return [refusal] * len(claimed)
    root = trust_root(version=trust_state().trust_root_version)
    return [
        _checked(attestor, work, answer, root)
        for work, answer in zip(claimed, answers, strict=True)
    ]


def _checked(
    attestor: Attestor,
    work: _Work,
    answer: Signed | SignerRefused | SignerUnavailable,
    root: bytes,
) -> Signed | SignerRefused | SignerUnavailable:
    """Refuse a bundle that is not exactly the statement and identity that were asked for."""
    if not isinstance(answer, Signed):
        return answer
    expected = Expected(
        scope=Scope(work.request.organization_id, work.request.project_id),
        build=work.request.build_id,
        subject=_subjects(work.request)[0],
        base_url=attestor.base_url,
    )
    evidence = examine(attestor.verifier.verify(answer.bundle, trust_root=root), expected)
    if evidence.failed is not None:
        failed = evidence.failed
        return SignerRefused(reason=failed.code, expected=failed.expected, found=failed.found)
    if evidence.verified is None or evidence.verified.payload != work.asked.statement:
        return SignerRefused(reason="statement-differs")
    if evidence.verified.identity != work.asked.identity:
        return SignerRefused(reason="identity-differs", found=evidence.verified.identity)
    return answer


def _record(
    claimed: Sequence[_Work],
    outcomes: Sequence[Signed | SignerRefused | SignerUnavailable],
    endings: Endings,
    *,
    signer_name: str,
    now: datetime,
) -> None:
    """Keep what was signed and free what was not, in one transaction.

    A request that somebody else has recorded in the meantime is left alone.
    """
    with transaction.atomic(durable=True):
        _take_turns({work.request.build_id for work in claimed})
        ids = [work.request.pk for work in claimed]
        locked = AttestationRequest.objects.select_for_update().filter(
            pk__in=ids, state=RequestState.PENDING
        )
        pending = {request.pk: request for request in locked.order_by("id")}
        attested: set[UUID] = set()
        for work, outcome in zip(claimed, outcomes, strict=True):
            request = pending.get(work.request.pk)
            if request is None:
                continue
            match outcome:
                case Signed():
                    _keep(request, work.asked, outcome, now=now)
                    attested.add(request.build_id)
                    waited = (now - request.requested_at).total_seconds()
                    SIGNING_SECONDS.labels(signer_name).observe(waited)
                case SignerRefused() | SignerUnavailable():
                    _postpone(request, outcome, lease=work.request.lease, now=now)
                case _:
                    assert_never(outcome)
        for build in sorted(attested - _builds_still_waiting(attested)):
            endings.publish(build_id=build, now=now)


def _keep(request: AttestationRequest, wanted: Asked, signed: Signed, *, now: datetime) -> None:
    attestation = Attestation.objects.create(
        request=request,
        organization_id=request.organization_id,
        project_id=request.project_id,
        build_id=request.build_id,
        predicate_type=wanted.predicate_type,
        bundle=signed.bundle,
        bundle_sha256=_sha256(signed.bundle),
        recorded_at=now,
    )
    AttestationSubject.objects.bulk_create(
        AttestationSubject(
            attestation=attestation,
            project_id=request.project_id,
            build_id=request.build_id,
            sha256=subject.digest.hex,
            name=subject.name,
        )
        for subject in _subjects(request)
    )
    request.state = RequestState.ATTESTED
    request.lease = request.leased_until = request.last_error = None
    request.ended_at = now
    request.save(update_fields=["state", "lease", "leased_until", "last_error", "ended_at"])
    logger.info("build attested", extra=_told(request, attestation=str(attestation.pk)))


def _postpone(
    request: AttestationRequest,
    refusal: SignerRefused | SignerUnavailable | MalformedFacts,
    *,
    lease: UUID | None,
    now: datetime,
) -> None:
    SIGNING_FAILURES.labels(str(refusal.facts.get("reason", refusal.code))).inc()
    logger.warning("build not attested", extra=_told(request, refusal=str(refusal)))
    if request.lease != lease:
        return  # our lease ran out and somebody else is at it: the row is theirs
    request.lease = request.leased_until = None
    request.next_attempt_at = now + delay(attempts=request.attempts, request=request.pk)
    request.last_error = {
        "code": refusal.code,
        **{name: str(value) for name, value in refusal.facts.items()},
    }
    request.save(
        update_fields=["attempts", "lease", "leased_until", "next_attempt_at", "last_error"]
    )


def _told(request: AttestationRequest, **facts: str) -> dict[str, str]:
    """A batch works for many requests: each line names the one that it belongs to."""
    return {"build": str(request.build_id), "request_id": request.request_id, **facts}


def _take_turns(builds: set[UUID]) -> None:
    """Let one worker at a time record for a build, until it commits.

    Of two that record a build's last two statements at once, neither would see that the other's
    is there, and nobody would publish. Not by locking rows: a claim skips those.
    """
    keys = sorted(int.from_bytes(build.bytes[:8], signed=True) for build in builds)
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def _builds_still_waiting(builds: set[UUID]) -> set[UUID]:
    waiting = AttestationRequest.objects.filter(build_id__in=builds).exclude(
        state=RequestState.ATTESTED
    )
    return set(waiting.values_list("build_id", flat=True))


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
