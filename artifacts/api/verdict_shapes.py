"""The members of each JSON answer about an artifact's evidence, beside `shapes`."""

from typing import Annotated, Literal, NotRequired, TypedDict

from kernel.shapes import STORE, Count, Digest, FilePath, Id, Says, Time, Url
from provenance.domain.builders import Level
from provenance.domain.policy import Enforcement


class Subject(TypedDict):
    """What an attestation is about."""

    sha256: Digest


class NamedSubject(Subject):
    """The file that was decided about."""

    name: FilePath


class AttestationRow(TypedDict):
    """An attestation, and where its Sigstore bundle is."""

    id: Id
    predicate_type: Annotated[str, Says(examples=["https://slsa.dev/provenance/v1"])]
    bundle_sha256: Digest
    recorded_at: Time
    ended_at: Annotated[Time | None, Says(description="Since when its bundle is kept no more.")]
    media_type: str
    url: Url


class Basis(TypedDict):
    """What a decision rests on beside the evidence."""

    policy_version: Count
    trust_map_version: Count
    trust_root_version: Count
    revocation_epoch: Count


class StepDocument(TypedDict):
    """One check: `code`, `expected` and `found` only where they say something."""

    step: Annotated[str, Says(examples=["signature"])]
    passed: bool
    code: NotRequired[str]
    expected: NotRequired[str]
    found: NotRequired[str]


class LogEntry(TypedDict):
    """Where a transparency log has the signature."""

    index: Count
    key_id: str


class FindingDocument(TypedDict):
    """What became of one attestation: each step, and the first reason why it does not count."""

    id: Id
    predicate_type: Annotated[str, Says(examples=["https://slsa.dev/provenance/v1"])]
    counts: bool
    reason: str
    builder: Annotated[str, Says(examples=[f"{STORE}/builders/github/hosted-unconfirmed/v1"])]
    signed_at: NotRequired[Time]
    log: NotRequired[LogEntry]
    steps: list[StepDocument]
    url: Url


class ProvenanceSummary(TypedDict):
    """Who built it, as the attestation that the answer rests on says; a release says less."""

    attestation: Id
    kind: Literal["release", "provenance"]
    subject: NotRequired[str]
    repository: NotRequired[str]
    ref: NotRequired[str]
    commit: NotRequired[str]
    workflow: NotRequired[str]
    event: NotRequired[str]
    hosted: NotRequired[bool]
    invocation: NotRequired[str]
    builder: NotRequired[str]
    build_type: NotRequired[str]
    issuer: NotRequired[str]


class VerificationDocument(TypedDict):
    """A decision with everything that it rests on."""

    artifact: Id
    path: FilePath
    verdict: Literal["passed", "failed"]
    reason: Annotated[str, Says(description="A code; empty where it passed.", examples=[""])]
    enforcement: Annotated[
        Enforcement,
        Says(description="Whether a failure refuses the download, or is only said."),
    ]
    level: Level
    why_not_higher: list[str]
    subject: NamedSubject
    project: Id
    build: Id
    decided_at: Time
    basis: Basis
    provenance: ProvenanceSummary | None
    attestations: list[FindingDocument]
