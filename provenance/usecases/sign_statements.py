"""Sign claimed work outside of any transaction, and believe no signer (step 6)."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from kernel.connections import over_a_restart
from provenance.domain.evidence import (
    Evidence,
    Expected,
    ExpectedRemoval,
    Verification,
    examine,
    examine_removal,
)
from provenance.domain.scope import Scope
from provenance.domain.transparency import DEFAULT, Transparency, fitting
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.ports import BundleVerifier, RunConfirmation, Signed, Signer, SigningJob
from provenance.queries import trust_root, trust_state
from provenance.usecases.record_attestations import Work, subjects_of

# After this long every signer has ended what it began, however slow its services.
LONGEST_SIGNING: Final = timedelta(seconds=45)
Outcome = Signed | SignerRefused | SignerUnavailable


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


def sign_statements(*, attestor: Attestor, works: Sequence[Work], now: datetime) -> list[Outcome]:
    """The bundles in the order of the works, each verified here; or why there is none."""
    answers = dict[UUID, Outcome]()
    for transparency in {work.transparency for work in works}:
        line = [work for work in works if work.transparency is transparency]
        signed = _signed(attestor, transparency, line, now=now)
        answers |= zip((work.request.pk for work in line), signed, strict=True)
    root = over_a_restart(
        lambda: trust_root(version=trust_state().trust_root_version), wait=attestor.wait
    )
    return [_checked(attestor, work, answers[work.request.pk], root) for work in works]


def _signed(
    attestor: Attestor, transparency: Transparency, line: Sequence[Work], *, now: datetime
) -> Sequence[Outcome]:
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
    answer: Outcome,
    root: bytes,
) -> Outcome:
    """Refuse a bundle that is not exactly the statement and identity that were asked for."""
    if not isinstance(answer, Signed):
        return answer
    verification = attestor.verifier.verify(answer.bundle, trust_root=root)
    evidence = _examined(work, verification, base_url=attestor.base_url)
    if evidence.failed is not None:
        failed = evidence.failed
        return SignerRefused(reason=failed.code, expected=failed.expected, found=failed.found)
    if evidence.verified is None or evidence.verified.payload != work.asked.statement:
        return SignerRefused(reason="statement-differs")
    if not evidence.verified.may_be(work.asked.identity):
        return SignerRefused(reason="identity-differs", found=evidence.verified.identity)
    return answer


def _examined(work: Work, verification: Verification, *, base_url: str) -> Evidence:
    request, subject = work.request, subjects_of(request=work.request)[0]
    if request.build_id is None:
        return examine_removal(verification, ExpectedRemoval(request.project_id, subject, base_url))
    scope = Scope(request.organization_id, request.project_id)
    return examine(verification, Expected(scope, request.build_id, subject, base_url))
