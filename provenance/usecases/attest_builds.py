"""Attest a batch of sealed builds: claim, sign, verify, record (docs/architecture.md, steps 5-7).

The row is the truth: work is leased on it, failures stand on it with the time of the next try,
and of two workers that sign the same request only one records.
"""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Q

from kernel import faults
from kernel.batches import work_off
from kernel.connections import over_a_restart
from provenance.domain.attesting import Asked, asked
from provenance.domain.build_facts import MalformedFacts, Witnessed
from provenance.domain.confirmation import Confirmation
from provenance.domain.evidence import Expected, examine
from provenance.domain.scope import Scope
from provenance.domain.slsa_v1 import Sealed, UnattestableEvent
from provenance.domain.transparency import DEFAULT, Transparency, fitting
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.models import AttestationRequest, RequestState
from provenance.ports import BundleVerifier, RunConfirmation, Signed, Signer, SigningJob
from provenance.queries import trust_root, trust_state
from provenance.usecases.record_attestations import (
    Endings,
    Work,
    postpone,
    record_attestations,
    refuse_request,
    subjects_of,
)

# `Endings` is part of this verb's own interface.
__all__ = [
    "BATCH",
    "LEASE",
    "Attestor",
    "Endings",
    "asked_for",
    "attest_builds",
    "lease_due",
    "look_up_transparency",
    "save_statements",
    "sign_and_record",
    "write_statement",
]

BATCH: Final = 32
LEASE: Final = timedelta(seconds=60)
# After this long every signer has ended what it began, however slow its services.
LONGEST_SIGNING: Final = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class Attestor:
    """What attesting needs: who signs, who checks the signer, and the store's own URL.

    `signer` serves what is recorded privately, which is what nobody chose otherwise; `elsewhere`
    holds the signers for what may be recorded publicly, or nowhere.
    `confirmation` knows the platforms to ask about jobs, None where there are none; an API that
    does not answer is waited for as long as `confirmation_wait`. `wait` pauses for so many seconds
    while the database is being restarted.
    """

    signer: Signer
    verifier: BundleVerifier
    base_url: str
    confirmation: RunConfirmation | None = None
    confirmation_wait: timedelta = timedelta(minutes=5)
    wait: Callable[[float], None] = time.sleep
    elsewhere: Mapping[Transparency, Signer] = field(default_factory=dict)

    @property
    def signers(self) -> Mapping[Transparency, Signer]:
        """Who signs what may be recorded where."""
        return {**self.elsewhere, DEFAULT: self.signer}

    @property
    def batches_at_once(self) -> int:
        """How many batches are worth being signed side by side."""
        return max(signer.batches_at_once for signer in self.signers.values())

    def signer_name(self, transparency: Transparency) -> str:
        """The label of who signs such statements, for metrics."""
        signer = fitting(self.signers, transparency)
        return signer.name if signer is not None else "none"

    @property
    def asked_issuers(self) -> frozenset[str]:
        """The issuers whose jobs wait for their platform's answer before they are attested."""
        return self.confirmation.issuers if self.confirmation is not None else frozenset()


def attest_builds(*, attestor: Attestor, endings: Endings, clock: Callable[[], datetime]) -> int:
    """Attest what is due and waits for no platform; say how many requests were claimed.

    Batch after batch of 32, while full ones are waiting, and as many side by side as is worth it
    to the signer: while one batch is recorded and the next claimed, another waits for its log.
    Running it twice, at once or again, gives each request one attestation that counts. What
    could not be signed stays pending with a reason and the time of its next attempt.
    """

    def claim() -> list[Work]:
        claimed = _claim(attestor, endings, now=clock())
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
    outcomes = _sign(attestor, works, now=clock())
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


def _claim(attestor: Attestor, endings: Endings, *, now: datetime) -> list[Work]:
    """Lease what is due. The statement's bytes are made once, at the first claim, and saved."""
    lane = Q(confirms=None) & ~Q(issuer_name__in=attestor.asked_issuers)
    with transaction.atomic(durable=True):
        leased = lease_due(lane=lane, size=BATCH, now=now)
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
    except MalformedFacts as refusal:
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
        MalformedFacts: the row cannot be read.
    """
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


def _sign(
    attestor: Attestor, claimed: Sequence[Work], *, now: datetime
) -> list[Signed | SignerRefused | SignerUnavailable]:
    """Sign outside of any transaction, and believe no signer: each bundle is verified here."""
    answers: dict[UUID, Signed | SignerRefused | SignerUnavailable] = {}
    for transparency in {work.transparency for work in claimed}:
        line = [work for work in claimed if work.transparency is transparency]
        signed = _signed(attestor, transparency, line, now=now)
        answers |= zip((work.request.pk for work in line), signed, strict=True)
    root = over_a_restart(
        lambda: trust_root(version=trust_state().trust_root_version), wait=attestor.wait
    )
    return [_checked(attestor, work, answers[work.request.pk], root) for work in claimed]


def _signed(
    attestor: Attestor, transparency: Transparency, line: Sequence[Work], *, now: datetime
) -> Sequence[Signed | SignerRefused | SignerUnavailable]:
    """What the one signer that may sign these answers; they wait where there is none."""
    signer = fitting(attestor.signers, transparency)
    if signer is None:
        refusal = SignerUnavailable(
            reason="no-signer-for-transparency",
            expected=transparency.value,
            found=", ".join(sorted(attestor.signers)),
        )
        return [refusal] * len(line)
    if transparency is Transparency.PUBLIC_LOG and any(_is_late(work, now) for work in line):
        # Signing could outlast the lease, which is all that a change to private waits for.
        return [SignerUnavailable(reason="lease-too-short")] * len(line)
    jobs = [
        SigningJob(work.asked.statement, work.asked.identity, work.asked.claims, transparency)
        for work in line
    ]
    try:
        return signer.sign(jobs)
    except SignerUnavailable as refusal:
        return [refusal] * len(line)


def _is_late(work: Work, now: datetime) -> bool:
    until = work.request.leased_until
    return until is None or until - now < LONGEST_SIGNING


def _checked(
    attestor: Attestor,
    work: Work,
    answer: Signed | SignerRefused | SignerUnavailable,
    root: bytes,
) -> Signed | SignerRefused | SignerUnavailable:
    """Refuse a bundle that is not exactly the statement and identity that were asked for."""
    if not isinstance(answer, Signed):
        return answer
    expected = Expected(
        scope=Scope(work.request.organization_id, work.request.project_id),
        build=work.request.build_id,
        subject=subjects_of(request=work.request)[0],
        base_url=attestor.base_url,
    )
    evidence = examine(attestor.verifier.verify(answer.bundle, trust_root=root), expected)
    if evidence.failed is not None:
        failed = evidence.failed
        return SignerRefused(reason=failed.code, expected=failed.expected, found=failed.found)
    if evidence.verified is None or evidence.verified.payload != work.asked.statement:
        return SignerRefused(reason="statement-differs")
    if not evidence.verified.may_be(work.asked.identity):
        return SignerRefused(reason="identity-differs", found=evidence.verified.identity)
    return answer
