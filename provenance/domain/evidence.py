"""What one attestation proves about one artifact: an ordered list of steps, each with its reason.

The cryptographic steps come from a BundleVerifier; the rest is decided here, from the signed
payload and certificate alone, never from the row that the bundle was found in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from provenance.domain import build_schema, release, slsa_v1
from provenance.domain import removal as removals
from provenance.domain.builders import release_attestor_id, removal_attestor_id
from provenance.domain.scope import Scope
from provenance.domain.signing_keys import SigningKey
from provenance.domain.statement import PAYLOAD_TYPE, MalformedStatement, Statement, Subject, parse


class StepName(StrEnum):
    """The steps of a verification, in their order."""

    BUNDLE = "bundle"
    KEY = "key"
    TIME = "time"
    CHAIN = "chain"
    SCT = "sct"
    CERTIFICATE = "certificate"
    LOG = "log"
    SIGNATURE = "signature"
    LOG_CONSISTENCY = "log-consistency"
    PAYLOAD_TYPE = "payload-type"
    STATEMENT = "statement"
    SUBJECT = "subject"
    PREDICATE_TYPE = "predicate-type"
    SCHEMA = "schema"
    ISSUER = "issuer"
    IDENTITY = "identity"
    SCOPE = "scope"
    BUILD = "build"
    BUILDER = "builder"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Step:
    """One check: `code` is empty when it passed, else the stable reason code."""

    name: StepName
    code: str = ""
    expected: str = ""
    found: str = ""

    @property
    def passed(self) -> bool:
        """Whether the check passed."""
        return not self.code


@dataclass(frozen=True, slots=True)
class VerifiedBundle:
    """What the cryptography vouches for. Only a BundleVerifier makes one.

    With a certificate, `identity` is its only SAN (a URI), `issuer` its Fulcio issuer (OID .8),
    `extensions` the other Fulcio extensions by OID suffix. With a managed `key` there is neither
    identity nor extension, and `issuer` is the store that the trust root says holds it. `signed_at`
    is the verified time (UTC) and `log_key_id` the hex id of the log that holds the entry: None
    and empty where the key demands no timestamp or no log.
    """

    payload_type: str
    payload: bytes
    identity: str
    issuer: str
    extensions: Mapping[int, str]
    signed_at: datetime | None
    log_index: int | None
    log_key_id: str
    key: SigningKey | None = None

    def may_be(self, identity: str) -> bool:
        """Whether the signer is this identity: certified as it, or listed to speak for it."""
        if self.key is not None:
            return self.key.may_speak_for(identity)
        return self.identity == identity


@dataclass(frozen=True, slots=True)
class Verification:
    """A BundleVerifier's answer: the steps it took, and the bundle if all of them passed."""

    steps: tuple[Step, ...]
    verified: VerifiedBundle | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """What this store expects of an attestation for one artifact.

    A subject is its name and its digest together: of two files of a build with the same bytes,
    each has the statement of the job that brought it under this name.
    """

    scope: Scope
    build: UUID
    subject: Subject
    base_url: str


@dataclass(frozen=True, slots=True)
class ExpectedRemoval:
    """What this store expects of its own word that an artifact was removed.

    The subject's name is `removal.removed_name`.
    """

    project: UUID
    subject: Subject
    base_url: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The outcome for one attestation; `statement` and `verified` only when every step passed."""

    steps: tuple[Step, ...]
    statement: Statement | None = None
    verified: VerifiedBundle | None = None

    @property
    def failed(self) -> Step | None:
        """The step that failed, if one did."""
        return next((step for step in self.steps if not step.passed), None)

    @property
    def builder_id(self) -> str:
        """The predicate's builder.id; empty for a release attestation."""
        if self.statement is None or self.statement.predicate_type != slsa_v1.PREDICATE_TYPE:
            return ""
        return str(self.statement.predicate["runDetails"]["builder"]["id"])


BUILD_SIGNER_URI: Final = 9
MOST_SHOWN: Final = 3


def examine(verification: Verification, expected: Expected) -> Evidence:
    """Continue a verification with the payload: type, subject, predicate, identity, scope, build.

    Stops at the first step that fails: later ones would speak about unproven things.
    """
    return _examined(
        verification,
        lambda steps, statement, verified: _examine_statement(steps, statement, verified, expected),
    )


def examine_removal(verification: Verification, expected: ExpectedRemoval) -> Evidence:
    """The same for a removal, which nothing else passes for: type, subject, identity, scope.

    A removal in turn is never evidence of a build (`examine`).
    """
    return _examined(
        verification,
        lambda steps, statement, verified: _examine_removal(steps, statement, verified, expected),
    )


def _examined(
    verification: Verification, examined: Callable[["_Steps", Statement, VerifiedBundle], bool]
) -> Evidence:
    steps = _Steps(list(verification.steps))
    verified = verification.verified
    if verified is None:
        return Evidence(tuple(steps.taken))
    if not steps.check(
        StepName.PAYLOAD_TYPE, "payload-type-mismatch", PAYLOAD_TYPE, verified.payload_type
    ):
        return Evidence(tuple(steps.taken))
    try:
        statement = parse(verified.payload)
    except MalformedStatement as refusal:
        steps.fail(StepName.STATEMENT, "malformed-statement", found=str(refusal.facts["reason"]))
        return Evidence(tuple(steps.taken))
    steps.passes(StepName.STATEMENT)
    if examined(steps, statement, verified):
        return Evidence(tuple(steps.taken), statement, verified)
    return Evidence(tuple(steps.taken))


@dataclass(slots=True)
class _Steps:
    """Collects steps; each method says whether to go on."""

    taken: list[Step] = field(default_factory=list)

    def passes(self, name: StepName, found: str = "") -> bool:
        self.taken.append(Step(name, found=found))
        return True

    def fail(self, name: StepName, code: str, expected: str = "", found: str = "") -> bool:
        self.taken.append(Step(name, code, expected, found))
        return False

    def check(self, name: StepName, code: str, expected: str, found: str) -> bool:
        if expected == found:
            return self.passes(name, found)
        return self.fail(name, code, expected, found)


def _examine_statement(
    steps: _Steps, statement: Statement, verified: VerifiedBundle, expected: Expected
) -> bool:
    if not _examine_subject(steps, statement.subjects, expected.subject):
        return False
    match statement.predicate_type:
        case slsa_v1.PREDICATE_TYPE:
            return _examine_provenance(steps, statement.predicate, verified, expected)
        case release.PREDICATE_TYPE:
            return _examine_release(steps, statement.predicate, verified, expected)
        case other:
            known = f"{slsa_v1.PREDICATE_TYPE} or {release.PREDICATE_TYPE}"
            return steps.fail(StepName.PREDICATE_TYPE, "unknown-predicate-type", known, other)


def _examine_subject(steps: _Steps, subjects: Sequence[Subject], wanted: Subject) -> bool:
    same_bytes = [subject for subject in subjects if subject.digest == wanted.digest]
    if not same_bytes:
        shown = ", ".join(subject.digest.hex for subject in subjects[:MOST_SHOWN])
        return steps.fail(StepName.SUBJECT, "subject-mismatch", wanted.digest.hex, shown)
    if wanted not in same_bytes:
        shown = ", ".join(subject.name for subject in same_bytes[:MOST_SHOWN])
        return steps.fail(StepName.SUBJECT, "subject-name-mismatch", wanted.name, shown)
    return steps.passes(StepName.SUBJECT, f"{wanted.name} {wanted.digest.hex}")


def _examine_provenance(
    steps: _Steps, predicate: Mapping[str, Any], verified: VerifiedBundle, expected: Expected
) -> bool:
    steps.passes(StepName.PREDICATE_TYPE, slsa_v1.PREDICATE_TYPE)
    problem = build_schema.first_violation(predicate, base_url=expected.base_url)
    if problem is not None:
        return steps.fail(StepName.SCHEMA, "schema-violation", problem.expected, problem.found)
    steps.passes(StepName.SCHEMA, str(predicate["buildDefinition"]["buildType"]))
    upload = predicate["buildDefinition"]["internalParameters"]["upload"]
    builder = predicate["runDetails"]["builder"]["id"]
    return (
        steps.check(StepName.ISSUER, "issuer-mismatch", expected.base_url, verified.issuer)
        and _examine_identity(
            steps, builder, verified, verified.extensions.get(BUILD_SIGNER_URI, "")
        )
        and _examine_place(steps, upload["project"], upload["build"], expected)
    )


def _examine_release(
    steps: _Steps, predicate: Mapping[str, Any], verified: VerifiedBundle, expected: Expected
) -> bool:
    steps.passes(StepName.PREDICATE_TYPE, release.PREDICATE_TYPE)
    package = str(predicate.get("packageId", ""))
    prefix, _, build = str(predicate.get("purl", "")).partition("@")
    if set(predicate) != {"purl", "packageId"} or prefix != f"pkg:generic/{package}":
        found = ", ".join(sorted(predicate))
        return steps.fail(StepName.SCHEMA, "schema-violation", "purl and packageId", found)
    identity = release_attestor_id(base_url=expected.base_url)
    return (
        steps.passes(StepName.SCHEMA)
        and steps.check(StepName.ISSUER, "issuer-mismatch", expected.base_url, verified.issuer)
        and _examine_identity(steps, identity, verified)
        and _examine_place(steps, package, build, expected)
    )


def _examine_removal(
    steps: _Steps, statement: Statement, verified: VerifiedBundle, expected: ExpectedRemoval
) -> bool:
    """The type first: of another kind's subjects nothing is to be said here."""
    kind = removals.predicate_type(base_url=expected.base_url)
    found = statement.predicate_type
    if not steps.check(StepName.PREDICATE_TYPE, "unknown-predicate-type", kind, found):
        return False
    if not _examine_subject(steps, statement.subjects, expected.subject):
        return False
    problem = removals.first_violation(statement.predicate, statement.subjects)
    if problem:
        return steps.fail(StepName.SCHEMA, "schema-violation", kind, problem)
    identity = removal_attestor_id(base_url=expected.base_url)
    project = str(statement.predicate["project"])
    return (
        steps.passes(StepName.SCHEMA)
        and steps.check(StepName.ISSUER, "issuer-mismatch", expected.base_url, verified.issuer)
        and _examine_identity(steps, identity, verified)
        and steps.check(StepName.SCOPE, "scope-mismatch", str(expected.project), project)
    )


def _examine_identity(
    steps: _Steps, identity: str, verified: VerifiedBundle, *also_named: str
) -> bool:
    """A certificate names the identity, wherever it names one; a key must be listed for it."""
    if verified.key is None:
        named = (verified.identity, *also_named)
        found = next((one for one in named if one != identity), identity)
        return steps.check(StepName.IDENTITY, "identity-mismatch", identity, found)
    if verified.may_be(identity):
        return steps.passes(StepName.IDENTITY, f"{identity}, by the key {verified.key.id}")
    speaks_for = ", ".join(verified.key.speaks_for) or "nobody"
    return steps.fail(StepName.IDENTITY, "identity-mismatch", identity, speaks_for)


def _examine_place(steps: _Steps, project: str, build: str, expected: Expected) -> bool:
    """Claims belong to their scope and build: identical bytes elsewhere borrow nothing."""
    return steps.check(
        StepName.SCOPE, "scope-mismatch", str(expected.scope.project), project
    ) and steps.check(StepName.BUILD, "build-mismatch", str(expected.build), build)
