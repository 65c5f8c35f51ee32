"""Decide whether the evidence for one artifact satisfies the project's verification policy.

Nothing to check means no: without evidence, without a granted builder, without a recorded
source, the answer is deny.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Final
from uuid import UUID

from provenance.domain import slsa_v1
from provenance.domain.build_facts import Platform
from provenance.domain.builders import SHARED_KEY_WHY, Level, describe_builder
from provenance.domain.evidence import Evidence, Step, StepName
from provenance.domain.platforms import form_of, source_ids

NO_ATTESTATION: Final = "no-attestation"


class Enforcement(StrEnum):
    """What a denial does: refuse the download, or say so and serve."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


@dataclass(frozen=True, slots=True)
class Source:
    """A repository by the ids that its platform never gives to another one.

    Of an issuer that proves no repository, the subject takes their place.
    """

    issuer: str
    repository_id: str = ""
    owner_id: str = ""
    subject: str = ""


@dataclass(frozen=True, slots=True)
class VerificationPolicy:
    """What a project accepts as evidence. Version 0 is the default that no row holds."""

    version: int = 0
    enforcement: Enforcement = Enforcement.ENFORCE
    sources: tuple[Source, ...] = ()
    accepts_release: bool = True

    def to_json(self) -> dict[str, object]:
        """All but the version, as it is kept and shown."""
        return {
            "enforcement": self.enforcement.value,
            "sources": [
                {name: value for name, value in asdict(source).items() if value}
                for source in self.sources
            ],
            "accepts_release": self.accepts_release,
        }


@dataclass(frozen=True, slots=True)
class TrustMap:
    """Which builder may claim which level. `key_is_shared` caps every level at L1.

    `platforms` says by the issuer's name which platform's tokens its builders rest on.

    Source: SLSA v1.2, "Verifying artifacts", step 1: look up the level by signer and builder.id.
    """

    version: int
    levels: Mapping[str, Level]
    key_is_shared: bool
    platforms: Mapping[str, Platform] = field(default_factory=dict)

    def most(self, builder_id: str) -> Level | None:
        """The highest level that this builder may claim now; None where it is not granted."""
        granted = self.levels.get(builder_id)
        if granted is None or not self.key_is_shared:
            return granted
        return min(granted, Level.L1, key=lambda level: level.rank)


@dataclass(frozen=True, slots=True)
class Finding:
    """One attestation's steps, with the id under which its bundle is served."""

    attestation: UUID
    predicate_type: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Decision:
    """Allow or deny, with one reason for each attestation that did not count.

    `counted` is the finding that the answer rests on; `reason` is empty when allowed.
    """

    allowed: bool
    reason: str
    enforcement: Enforcement
    level: Level
    why_not_higher: tuple[str, ...]
    counted: Finding | None
    findings: tuple[Finding, ...]

    @property
    def serves(self) -> bool:
        """Whether the bytes are handed out: allowed, or only observed."""
        return self.allowed or self.enforcement is Enforcement.OBSERVE


def evaluate(
    policy: VerificationPolicy, trust_map: TrustMap, findings: Sequence[Finding], *, base_url: str
) -> Decision:
    """Judge every finding and rest the answer on the best one that passes all steps."""
    judged = tuple(_judge(policy, trust_map, finding, base_url) for finding in findings)
    passing = [finding for finding in judged if finding.evidence.failed is None]
    ranked = sorted(
        passing, key=lambda finding: _level(trust_map, finding, base_url)[0].rank, reverse=True
    )
    if not ranked:
        return Decision(
            allowed=False,
            reason=_first_reason(judged),
            enforcement=policy.enforcement,
            level=Level.UNEVALUATED,
            why_not_higher=(),
            counted=None,
            findings=judged,
        )
    level, why = _level(trust_map, ranked[0], base_url)
    return Decision(
        allowed=True,
        reason="",
        enforcement=policy.enforcement,
        level=level,
        why_not_higher=why,
        counted=ranked[0],
        findings=judged,
    )


def _judge(
    policy: VerificationPolicy, trust_map: TrustMap, finding: Finding, base_url: str
) -> Finding:
    """Add the policy's steps to a finding whose own steps all passed."""
    evidence = finding.evidence
    if evidence.failed is not None or evidence.statement is None:
        return finding
    if evidence.statement.predicate_type != slsa_v1.PREDICATE_TYPE:
        return _with(finding, _release_step(policy))
    builder = Step(StepName.BUILDER, found=evidence.builder_id)
    if evidence.builder_id not in trust_map.levels:
        builder = replace(builder, code="builder-not-trusted", expected="a builder that is granted")
        return _with(finding, builder)
    return _with(_with(finding, builder), _source_step(policy, evidence, base_url))


def _release_step(policy: VerificationPolicy) -> Step:
    if policy.accepts_release:
        return Step(StepName.SOURCE, found="release attestation")
    expected = "provenance: the project has a trusted publisher"
    return Step(StepName.SOURCE, "release-only", expected, "release attestation")


def _source_step(policy: VerificationPolicy, evidence: Evidence, base_url: str) -> Step:
    statement = evidence.statement
    if statement is None:
        raise AssertionError("judged without a statement")
    definition = statement.predicate["buildDefinition"]
    form = form_of(definition["buildType"], base_url=base_url)
    if form is None:
        raise AssertionError("judged without a buildType of ours")
    ids = source_ids(form, definition)
    found = Source(ids.issuer, ids.repository_id, ids.owner_id, ids.subject)
    if found in policy.sources:
        return Step(StepName.SOURCE, found=_show(found))
    expected = "; ".join(_show(source) for source in policy.sources) or "a recorded source"
    return Step(StepName.SOURCE, "source-mismatch", expected, _show(found))


def _show(source: Source) -> str:
    if source.subject:
        return f"{source.issuer} subject {source.subject}"
    return f"{source.issuer} repository {source.repository_id} owner {source.owner_id}"


def _with(finding: Finding, step: Step) -> Finding:
    evidence = replace(finding.evidence, steps=(*finding.evidence.steps, step))
    return replace(finding, evidence=evidence)


def _level(trust_map: TrustMap, finding: Finding, base_url: str) -> tuple[Level, tuple[str, ...]]:
    """The level that the trust map grants, and each reason why it is not higher."""
    granted = trust_map.most(finding.evidence.builder_id)
    if granted is None:
        return Level.UNEVALUATED, ("a release attestation claims no build",)
    why = [describe_builder(finding.evidence.builder_id, base_url=base_url).why_not_higher]
    if trust_map.key_is_shared:
        why.append(SHARED_KEY_WHY)
    return granted, tuple(why)


def _first_reason(findings: Sequence[Finding]) -> str:
    for finding in findings:
        if finding.evidence.failed is not None:
            return finding.evidence.failed.code
    return NO_ATTESTATION
