"""Judge a file by bundles, here and offline, with the rules that the store itself judges by.

Nothing that came with the bundles decides anything: the trust root and what is acceptable were
there before. What nobody said (a build, a project, a name) is taken from the signed statement,
and the report lists it as not stated.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from client.verification.wishes import Acceptable
from kernel.digest import Sha256
from provenance.domain import slsa_v1
from provenance.domain.builders import Level
from provenance.domain.evidence import Expected, Step, StepName, Verification, examine
from provenance.domain.platforms import form_of, source_ids
from provenance.domain.policy import (
    Decision,
    Finding,
    Source,
    TrustMap,
    VerificationPolicy,
    evaluate,
)
from provenance.domain.report import Basis, Verdict, read_verdict, verdict
from provenance.domain.scope import Scope
from provenance.domain.statement import MalformedStatement, Statement, Subject, parse
from provenance.ports import BundleVerifier

EXPECTATION_MISSING: Final = "expectation-missing"
LEVEL_TOO_LOW: Final = "level-too-low"
NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A bundle that may be about the file, from anybody. `build` is whose it is said to be."""

    content: bytes
    origin: str
    build: UUID | None = None

    @property
    def identity(self) -> UUID:
        """An id for the report, made from the bundle's bytes."""
        return UUID(bytes=hashlib.sha256(self.content).digest()[:16])


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about one file. `name` is empty and `build` None where nobody said one."""

    digest: Sha256
    trust_root: bytes
    acceptable: Acceptable
    name: str = ""


def judge(
    question: Question,
    candidates: Sequence[Candidate],
    *,
    verifier: BundleVerifier,
    now: datetime,
) -> Verdict:
    """Verify every bundle, and answer as the store would: the document has the same shape.

    Never raises for anything that a bundle says.
    """
    examined = [_examined(question, candidate, verifier) for candidate in candidates]
    findings = [finding for finding, _expected in examined]
    base_url = examined[0][1].base_url if examined else question.acceptable.base_url
    decision = _decide(question.acceptable, findings, base_url)
    expected = _of_counted(decision, examined) or _unexamined(question)
    rendered = verdict(decision, expected, _basis(question.acceptable), decided_at=now)
    return read_verdict(_document(rendered.document, question, candidates))


def _examined(
    question: Question, candidate: Candidate, verifier: BundleVerifier
) -> tuple[Finding, Expected]:
    """One bundle's steps, held against what was stated and, for the rest, its own statement."""
    verification = verifier.verify(candidate.content, trust_root=question.trust_root)
    statement = _statement(verification)
    expected = _filled(question, candidate, verification, statement)
    kind = statement.predicate_type if statement is not None else ""
    return Finding(candidate.identity, kind, examine(verification, expected)), expected


def _statement(verification: Verification) -> Statement | None:
    """What was signed, once the cryptography holds; what is wrong with it is said by `examine`."""
    if verification.verified is None:
        return None
    try:
        return parse(verification.verified.payload)
    except MalformedStatement:
        return None


def _filled(
    question: Question,
    candidate: Candidate,
    verification: Verification,
    statement: Statement | None,
) -> Expected:
    project, build = _place(statement)
    stated = question.acceptable
    issuer = verification.verified.issuer if verification.verified is not None else ""
    subjects = statement.subjects if statement is not None else ()
    named = (one.name for one in subjects if one.digest == question.digest)
    return Expected(
        scope=Scope(NOBODY, stated.project or project),
        build=candidate.build or build,
        subject=Subject(question.name or next(named, ""), question.digest),
        base_url=stated.base_url or issuer,
    )


def _place(statement: Statement | None) -> tuple[UUID, UUID]:
    """The project and the build that a statement names; nobody's where it names none."""
    match statement.predicate if statement is not None else None:
        case {
            "buildDefinition": {
                "internalParameters": {"upload": {"project": str(project), "build": str(build)}}
            }
        }:
            return _uuid(project), _uuid(build)
        case {"packageId": str(project), "purl": str(purl)}:
            return _uuid(project), _uuid(purl.partition("@")[2])
        case _:
            return NOBODY, NOBODY


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return NOBODY


def _decide(stated: Acceptable, findings: Sequence[Finding], base_url: str) -> Decision:
    trust_map = stated.trust_map or _whoever(findings)
    policy = stated.policy or VerificationPolicy(accepts_release=False)
    if stated.source is not None:
        policy = replace(policy, sources=_with_issuers(stated.source, findings, base_url))
    decision = evaluate(policy, trust_map, findings, base_url=base_url)
    if stated.policy is None:
        return _nothing_was_said(decision)
    if stated.level is not None and decision.allowed and decision.level.rank < stated.level.rank:
        return replace(decision, allowed=False, reason=LEVEL_TOO_LOW)
    return decision


def _whoever(findings: Sequence[Finding]) -> TrustMap:
    """Nobody said which builders: each may be shown, none is granted a level."""
    builders = {finding.evidence.builder_id for finding in findings} - {""}
    return TrustMap(0, dict.fromkeys(builders, Level.UNEVALUATED), key_is_shared=False)


def _with_issuers(source: Source, findings: Sequence[Finding], base_url: str) -> tuple[Source, ...]:
    """The source with the issuer of the builders that were named, as the statements say it.

    The builders are of one issuer, and a builder id stands for one issuer only.
    """
    issuers = set()
    for finding in findings:
        statement = finding.evidence.statement
        if statement is None or statement.predicate_type != slsa_v1.PREDICATE_TYPE:
            continue
        definition = statement.predicate["buildDefinition"]
        form = form_of(definition["buildType"], base_url=base_url)
        if form is not None:
            issuers.add(source_ids(form, definition).issuer)
    return tuple(replace(source, issuer=issuer) for issuer in sorted(issuers))


def _nothing_was_said(decision: Decision) -> Decision:
    """Signed by somebody, from somewhere: nobody's expectation was checked, so it is no yes."""
    findings = tuple(_unexpected(finding) for finding in decision.findings)
    failed = [one.evidence.failed.code for one in findings if one.evidence.failed is not None]
    return replace(decision, findings=findings, reason=next(iter(failed), decision.reason))


def _unexpected(finding: Finding) -> Finding:
    *before, last = finding.evidence.steps or (Step(StepName.BUNDLE),)
    if last.name is not StepName.SOURCE or last.passed:
        return finding
    expected = "nobody said which source is acceptable"
    steps = (*before, replace(last, code=EXPECTATION_MISSING, expected=expected))
    return replace(finding, evidence=replace(finding.evidence, steps=steps))


def _of_counted(
    decision: Decision, examined: Sequence[tuple[Finding, Expected]]
) -> Expected | None:
    """What was expected of the bundle that counts, or else of the first that was looked at."""
    counted = decision.counted.attestation if decision.counted is not None else None
    for finding, expected in examined:
        if counted in (None, finding.attestation):
            return expected
    return None


def _unexamined(question: Question) -> Expected:
    stated = question.acceptable
    subject = Subject(question.name, question.digest)
    return Expected(Scope(NOBODY, stated.project or NOBODY), NOBODY, subject, stated.base_url)


def _basis(stated: Acceptable) -> Basis:
    """Versions of what was pinned; the trust root's is its digest, which stands beside them."""
    return Basis(
        policy=stated.policy or VerificationPolicy(),
        trust_map=stated.trust_map or TrustMap(0, {}, key_is_shared=False),
        trust_root_version=0,
        revocation_epoch=0,
    )


def _document(
    rendered: Mapping[str, Any], question: Question, candidates: Sequence[Candidate]
) -> dict[str, Any]:
    """The report with what only this side knows: files, digests, and what nobody stated."""
    origins = {str(candidate.identity): candidate for candidate in candidates}
    attestations = [
        {
            **shown,
            "url": origins[shown["id"]].origin,
            "bundle_sha256": hashlib.sha256(origins[shown["id"]].content).hexdigest(),
        }
        for shown in rendered["attestations"]
    ]
    root = hashlib.sha256(question.trust_root).hexdigest()
    return {
        **rendered,
        "basis": {**rendered["basis"], "trust_root_sha256": root},
        "attestations": attestations,
        "not_stated": _not_stated(question, candidates),
    }


def _not_stated(question: Question, candidates: Sequence[Candidate]) -> list[str]:
    stated = {
        "name": bool(question.name),
        "build": all(candidate.build for candidate in candidates),
        "project": question.acceptable.project is not None,
        "builder": question.acceptable.trust_map is not None,
        "source": question.acceptable.policy is not None,
    }
    return [name for name, is_stated in stated.items() if not is_stated]
