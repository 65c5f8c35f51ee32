"""A decision as a document: every attestation, every step, the level and why it is not higher."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from provenance.domain import slsa_v1
from provenance.domain.build_facts import Hosting
from provenance.domain.builders import Level
from provenance.domain.evidence import Evidence, Expected, Step
from provenance.domain.platforms import Form, form_of
from provenance.domain.policy import Decision, Enforcement, Finding, TrustMap, VerificationPolicy

# Part of every decision's key: raise it when a change here or in a rule changes answers.
RULES_VERSION = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision with its document, fresh or kept. `reason` is empty when allowed.

    `decision` is the id of the kept decision, where there is one. `serves` says whether the bytes
    are handed out: allowed, or the policy only observes.
    """

    allowed: bool
    serves: bool
    reason: str
    level: Level
    document: Mapping[str, Any]
    decision: str = ""


@dataclass(frozen=True, slots=True)
class Basis:
    """Everything that an answer depends on beside the evidence itself."""

    policy: VerificationPolicy
    trust_map: TrustMap
    trust_root_version: int
    revocation_epoch: int


def verdict(
    decision: Decision, expected: Expected, basis: Basis, *, decided_at: datetime
) -> Verdict:
    """Render the decision; the document alone is enough to answer again from a cache."""
    document = {
        "verdict": "passed" if decision.allowed else "failed",
        "reason": decision.reason,
        "enforcement": decision.enforcement.value,
        "level": decision.level.value,
        "why_not_higher": list(decision.why_not_higher),
        "subject": {"name": expected.subject.name, "sha256": expected.subject.digest.hex},
        "project": str(expected.scope.project),
        "build": str(expected.build),
        "decided_at": _rfc3339(decided_at),
        "basis": {
            "policy_version": basis.policy.version,
            "trust_map_version": basis.trust_map.version,
            "trust_root_version": basis.trust_root_version,
            "revocation_epoch": basis.revocation_epoch,
        },
        "provenance": _summary(decision.counted, expected.base_url),
        "attestations": [_finding(finding) for finding in decision.findings],
    }
    return read_verdict(document)


def read_verdict(document: Mapping[str, Any]) -> Verdict:
    """Take the answer from a document that `verdict` wrote."""
    allowed = document["verdict"] == "passed"
    return Verdict(
        allowed=allowed,
        serves=allowed or document["enforcement"] == Enforcement.OBSERVE.value,
        reason=document["reason"],
        level=Level(document["level"]),
        document=document,
    )


def _summary(counted: Finding | None, base_url: str) -> dict[str, Any] | None:
    """Who built it, in the words of the attestation that the answer rests on."""
    if counted is None or counted.evidence.statement is None:
        return None
    statement = counted.evidence.statement
    if statement.predicate_type != slsa_v1.PREDICATE_TYPE:
        return {"attestation": str(counted.attestation), "kind": "release"}
    definition = statement.predicate["buildDefinition"]
    form = form_of(definition["buildType"], base_url=base_url)
    if form is None:
        raise AssertionError("counted without a buildType of ours")
    return {
        "attestation": str(counted.attestation),
        "kind": "provenance",
        **_job(form, statement.predicate),
        "builder": counted.evidence.builder_id,
        "build_type": definition["buildType"],
        "issuer": definition["internalParameters"]["upload"]["issuer"],
    }


def _job(form: Form, predicate: Mapping[str, Any]) -> dict[str, Any]:
    """The job in the same words for every platform; only the subject where no more is proven."""
    definition = predicate["buildDefinition"]
    external = definition["externalParameters"][form.external_member]
    if form.ids is None:
        return {"subject": external["subject"]}
    own = definition["internalParameters"][form.member]
    source = next(d for d in definition["resolvedDependencies"] if d["name"] == "source")
    return {
        "repository": external["repository"],
        "ref": external["ref"],
        "commit": source["digest"]["gitCommit"],
        "workflow": external["path"],
        "event": own[form.ids.event],
        "hosted": own["runner_environment"] == Hosting.HOSTED.value,
        "invocation": predicate["runDetails"]["metadata"]["invocationId"],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    evidence = finding.evidence
    return {
        "id": str(finding.attestation),
        "predicate_type": finding.predicate_type,
        "counts": evidence.failed is None,
        "reason": evidence.failed.code if evidence.failed else "",
        "builder": evidence.builder_id,
        **_signature(evidence),
        "steps": [_step(step) for step in evidence.steps],
    }


def _signature(evidence: Evidence) -> dict[str, Any]:
    """Who vouches for it beside the statement: what is not vouched for is not shown."""
    verified = evidence.verified
    if verified is None:
        return {}
    shown: dict[str, Any] = {}
    if verified.signed_at is not None:
        shown["signed_at"] = _rfc3339(verified.signed_at)
    if verified.log_index is not None:
        shown["log"] = {"index": verified.log_index, "key_id": verified.log_key_id}
    if verified.key is not None:
        shown["signing_key"] = verified.key.id
    return shown


def _step(step: Step) -> dict[str, Any]:
    shown: dict[str, Any] = {"step": step.name.value, "passed": step.passed}
    if step.code:
        shown["code"] = step.code
    if step.expected:
        shown["expected"] = step.expected
    if step.found:
        shown["found"] = step.found
    return shown


def _rfc3339(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
