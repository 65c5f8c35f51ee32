"""Record what was signed, and what was not: the last step of attesting (step 7).

Everything here joins, except `record_attestations`, which is a transaction of its own.
"""

import hashlib
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, assert_never
from uuid import UUID

from django.db import connection, transaction

from kernel.digest import Sha256
from kernel.errors import Refusal
from kernel.metrics import SIGNING_FAILURES, SIGNING_SECONDS
from provenance.domain.attesting import Asked
from provenance.domain.backoff import LONGEST, LONGEST_IN_AN_OUTAGE, delay
from provenance.domain.build_facts import MalformedFacts
from provenance.domain.statement import MalformedStatement, Subject
from provenance.domain.transparency import DEFAULT, Transparency
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.models import (
    Attestation,
    AttestationRequest,
    AttestationSubject,
    ConfirmationOutcome,
    RequestState,
)
from provenance.ports import Signed

logger = logging.getLogger(__name__)

SECOND_ASKED_AFTER: Final = timedelta(minutes=5)


class Publish(Protocol):
    """Make attested builds visible, in the transaction that records their attestations."""

    def __call__(self, *, builds: Collection[UUID], now: datetime) -> None: ...


class Refuse(Protocol):
    """End a build that can never be attested, in the transaction that says so."""

    def __call__(self, *, build_id: UUID, reason: Mapping[str, object], now: datetime) -> None: ...


class Transparencies(Protocol):
    """Where each project's statements may be recorded now.

    Joins, and keeps the answer true until the transaction ends.
    """

    def __call__(self, *, projects: Collection[UUID]) -> Mapping[UUID, Transparency]: ...


def nothing_public(*, projects: Collection[UUID]) -> Mapping[UUID, Transparency]:
    """What holds where nobody chose."""
    return dict.fromkeys(projects, DEFAULT)


@dataclass(frozen=True, slots=True)
class Endings:
    """What the owner of builds does when some are attested or one can never be; all join.

    `transparencies` says where its statements may be recorded.
    """

    publish: Publish
    refuse: Refuse
    transparencies: Transparencies = nothing_public


@dataclass(frozen=True, slots=True)
class Work:
    """A leased request with what the signer is asked for it."""

    request: AttestationRequest
    asked: Asked

    @property
    def transparency(self) -> Transparency:
        """Where it may be recorded, as long as the lease holds."""
        return Transparency(self.request.transparency)


def record_attestations(
    *,
    works: Sequence[Work],
    outcomes: Sequence[Signed | SignerRefused | SignerUnavailable],
    endings: Endings,
    signer_of: Callable[[Transparency], str],
    now: datetime,
) -> None:
    """Keep what was signed and free what was not, in one transaction.

    A request that somebody else has recorded in the meantime is left alone.
    """
    with transaction.atomic(durable=True):
        _take_turns({work.request.build for work in works})
        ids = [work.request.pk for work in works]
        locked = AttestationRequest.objects.select_for_update().filter(
            pk__in=ids, state=RequestState.PENDING
        )
        pending = {request.pk: request for request in locked.order_by("id")}
        attested: set[UUID] = set()
        kept: list[_Kept] = []
        for work, outcome in zip(works, outcomes, strict=True):
            request = pending.get(work.request.pk)
            if request is None:
                continue
            match outcome:
                case Signed():
                    kept.append(_keep(request, work, outcome, now=now))
                    if request.confirms_id is None:
                        attested.add(request.build)
                    waited = (now - request.requested_at).total_seconds()
                    SIGNING_SECONDS.labels(signer_of(work.transparency)).observe(waited)
                case SignerRefused() | SignerUnavailable():
                    postpone(request=request, refusal=outcome, lease=work.request.lease, now=now)
                case _:
                    assert_never(outcome)
        _save(kept, now=now)
        complete = attested - _builds_still_waiting(attested)
        if complete:
            endings.publish(builds=complete, now=now)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A request that is attested, with its rows; not saved yet."""

    request: AttestationRequest
    attestation: Attestation
    subjects: Sequence[AttestationSubject]


def _keep(request: AttestationRequest, work: Work, signed: Signed, *, now: datetime) -> _Kept:
    """Keep the bundle, and with the row what this very work was: another worker's may differ."""
    attestation = attestation_of(work=work, signed=signed, now=now)
    subjects = [
        AttestationSubject(
            attestation=attestation,
            project_id=request.project_id,
            build_id=request.build,
            sha256=subject.digest.hex,
            name=subject.name,
        )
        for subject in subjects_of(request=request)
    ]
    signed_for = {
        "statement": work.asked.statement,
        "confirmation": work.request.confirmation,
        "confirmation_told": work.request.confirmation_told,
    }
    differing = [name for name, value in signed_for.items() if getattr(request, name) != value]
    if differing:
        for name in differing:
            setattr(request, name, signed_for[name])
        request.save(update_fields=differing)
    return _Kept(request, attestation, subjects)


def attestation_of(*, work: Work, signed: Signed, now: datetime) -> Attestation:
    """The row of a request's attestation; not saved yet."""
    request = work.request
    return Attestation(
        request=request,
        organization_id=request.organization_id,
        project_id=request.project_id,
        build_id=request.build_id,
        predicate_type=work.asked.predicate_type,
        bundle=signed.bundle,
        bundle_sha256=_sha256(signed.bundle),
        recorded_at=now,
    )


def _save(kept: Sequence[_Kept], *, now: datetime) -> None:
    """Save a batch's rows together: each question to the database costs as much as a signature."""
    Attestation.objects.bulk_create([one.attestation for one in kept])
    AttestationSubject.objects.bulk_create([one for each in kept for one in each.subjects])
    end_attested(requests=[one.request.pk for one in kept], now=now)
    for one in kept:
        request = one.request
        logger.info("build attested", extra=_told(request, attestation=str(one.attestation.pk)))
        if request.confirmation == ConfirmationOutcome.UNREACHABLE and request.confirms_id is None:
            _ask_again_later(request, now=now)


def end_attested(*, requests: Collection[UUID], now: datetime) -> None:
    """Say of requests that they have their attestations. Joins."""
    AttestationRequest.objects.filter(pk__in=requests).update(
        state=RequestState.ATTESTED, lease=None, leased_until=None, last_error=None, ended_at=now
    )


def _ask_again_later(first: AttestationRequest, *, now: datetime) -> None:
    """Ask for a second statement of the same subjects, for when the platform answers again."""
    AttestationRequest.objects.create(
        confirms=first,
        organization_id=first.organization_id,
        project_id=first.project_id,
        build_id=first.build_id,
        subjects=first.subjects,
        facts=first.facts,
        issuer_name=first.issuer_name,
        opened_at=first.opened_at,
        sealed_at=first.sealed_at,
        requested_at=now,
        next_attempt_at=now + SECOND_ASKED_AFTER,
        request_id=first.request_id,
    )


def postpone(
    *,
    request: AttestationRequest,
    refusal: SignerRefused | SignerUnavailable | MalformedFacts | MalformedStatement,
    lease: UUID | None,
    now: datetime,
) -> None:
    """Free the row, and write down why it waits and when it is tried again. Joins."""
    SIGNING_FAILURES.labels(str(refusal.facts.get("reason", refusal.code))).inc()
    logger.warning("build not attested", extra=_told(request, refusal=str(refusal)))
    if request.lease != lease:
        return  # our lease ran out and somebody else is at it: the row is theirs
    request.lease = request.leased_until = None
    asked_to_wait = timedelta(seconds=float(str(refusal.facts.get("retry_after_seconds", 0))))
    is_outage = isinstance(refusal, SignerUnavailable)
    longest = LONGEST_IN_AN_OUTAGE if is_outage else LONGEST
    pause = delay(attempts=request.attempts, request=request.pk, longest=longest)
    request.next_attempt_at = now + max(pause, asked_to_wait)
    request.last_error = {
        "code": refusal.code,
        **{name: str(value) for name, value in refusal.facts.items()},
    }
    request.save(
        update_fields=["attempts", "lease", "leased_until", "next_attempt_at", "last_error"]
    )


def _told(request: AttestationRequest, **facts: str) -> dict[str, str]:
    """A batch works for many requests: each line names the one that it belongs to."""
    about = "removal" if request.build_id is None else str(request.build_id)
    return {"build": about, "request_id": request.request_id, **facts}


def _take_turns(builds: set[UUID]) -> None:
    """Let one worker at a time record for a build, until it commits.

    Of two that record a build's last two statements at once, neither would see that the other's
    is there, and nobody would publish. Not by locking rows: a claim skips those.
    """
    keys = sorted(int.from_bytes(build.bytes[:8], signed=True) for build in builds)
    with connection.cursor() as cursor:
        # One after the other, in the order of the keys, as unnest gives them.
        cursor.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s::bigint[]) AS key", [keys])


def _builds_still_waiting(builds: set[UUID]) -> set[UUID]:
    """Second statements keep nobody waiting."""
    waiting = AttestationRequest.objects.filter(build_id__in=builds, confirms=None).exclude(
        state=RequestState.ATTESTED
    )
    return {request.build for request in waiting.only("build_id")}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def refuse_request(
    *, request: AttestationRequest, refusal: Refusal, endings: Endings, now: datetime
) -> None:
    """End a request that can never be attested, and its build with it. Joins.

    A second statement that cannot be made leaves its build as it is: published, unconfirmed.
    """
    reason = {"code": refusal.code, **refusal.facts}
    request.state = RequestState.REFUSED
    request.last_error = reason
    request.ended_at = now
    request.save(update_fields=["state", "last_error", "ended_at"])
    if request.confirms_id is None:
        endings.refuse(build_id=request.build, reason=reason, now=now)


def subjects_of(*, request: AttestationRequest) -> tuple[Subject, ...]:
    """The subjects of a request's statement."""
    return tuple(Subject(name, Sha256(digest)) for name, digest in request.subjects)
