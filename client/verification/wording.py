"""A report in lines for people: each step with what was found, then the answer."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from client.verification.judgement import EXPECTATION_MISSING, LEVEL_TOO_LOW

PASSED, FAILED = "✓", "✗"
_KEYS_MAY_HAVE_CHANGED: Final = (
    "the keys are not those of the pinned trust root; if the store has changed its keys, "
    "`strongroom trust` shows what changed"
)

# What a failed step means, where expected and found do not say it. docs/verify.md has them all.
MEANINGS: Final[Mapping[str, str]] = {
    "malformed-bundle": "these bytes are no bundle that any verifier should accept",
    "unsupported-bundle": "this kind of bundle cannot be verified by this release",
    "key-unknown": _KEYS_MAY_HAVE_CHANGED,
    "key-revoked": "the store has revoked the key: nothing that it signed counts any more",
    "time-outside-key": "it was signed before or after the time for which the key is believed",
    "no-verified-time": "no trusted log or authority vouches for a time of signing",
    "chain-invalid": _KEYS_MAY_HAVE_CHANGED,
    "time-outside-certificate": "it was signed outside of the certificate's lifetime",
    "sct-invalid": _KEYS_MAY_HAVE_CHANGED,
    "certificate-invalid": "the certificate does not name exactly one identity and one issuer",
    "log-entry-invalid": _KEYS_MAY_HAVE_CHANGED,
    "signature-invalid": "the statement is not what the certificate's key signed",
    "log-mismatch": "the log entry is about another envelope",
    "payload-type-mismatch": "what was signed is no in-toto statement",
    "malformed-statement": "what was signed is no in-toto statement v1",
    "subject-mismatch": "it is about other bytes",
    "subject-name-mismatch": "it is about the same bytes under another name",
    "unknown-predicate-type": "it is neither provenance nor a release attestation",
    "schema-violation": "the provenance has a field too many, too few, or of another form",
    "issuer-mismatch": "the certificate is of another store",
    "identity-mismatch": "the certificate is not of the builder that the provenance names",
    "scope-mismatch": "it belongs to another project",
    "build-mismatch": "it belongs to another build of the same bytes",
    "builder-not-trusted": "nothing that was pinned or said accepts this builder",
    "source-mismatch": "it was not built from a source that is accepted",
    "release-only": "it only says that the store published these bytes, not who built them",
    EXPECTATION_MISSING: (
        "nothing was said about which source is acceptable: pin the project's expectations "
        "(`strongroom trust`), or say --policy, or --builder with --repository-id and --owner-id"
    ),
    LEVEL_TOO_LOW: "it was verified, but at a lower level than was asked for",
    "no-attestation": "there is no attestation about these bytes to verify",
}


def lines(document: Mapping[str, Any]) -> Iterator[str]:
    """Every attestation with its steps; then what was not stated. The answer is `conclusion`."""
    subject = document["subject"]
    yield f"sha256 {subject['sha256']}"
    for number, attestation in enumerate(document["attestations"], start=1):
        yield f"attestation {number}: {attestation['url']}"
        for step in attestation["steps"]:
            yield from _step(step)
    if document["not_stated"]:
        yield f"not stated, so taken as it was signed: {', '.join(document['not_stated'])}"


def conclusion(document: Mapping[str, Any]) -> str:
    """The answer in one line."""
    if document["verdict"] == "passed":
        return f"verified: {document['level']}, {_who(document['provenance'])}"
    reason = document["reason"]
    return f"NOT verified: {reason}: {MEANINGS.get(reason, 'see the failed step')}"


def _step(step: Mapping[str, Any]) -> Iterator[str]:
    found = f": {step['found']}" if step.get("found") and step["passed"] else ""
    if step["passed"]:
        yield f"  {PASSED} {step['step']}{found}"
        return
    yield f"  {FAILED} {step['step']}: {step['code']}"
    yield f"      expected  {step.get('expected') or 'that this step holds'}"
    yield f"      found     {step.get('found') or 'that it does not'}"
    yield f"      meaning   {MEANINGS.get(step['code'], '')}; more in docs/verify.md"


def _who(provenance: Mapping[str, Any]) -> str:
    if provenance["kind"] == "release":
        return "published by the store in this project; no build is claimed"
    if "subject" in provenance:
        return f"uploaded by {provenance['subject']}, {provenance['builder']}"
    return (
        f"built by {provenance['builder']} from {provenance['repository']} "
        f"at {provenance['commit']} ({provenance['workflow']}, "
        f"{provenance['ref']})"
    )
