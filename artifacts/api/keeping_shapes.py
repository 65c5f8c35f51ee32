"""The members of each JSON answer about holds, the trash and what is in use; as `shapes`."""

from typing import Annotated, Any, TypedDict

from artifacts.api.retention_shapes import CitedRuleDocument
from artifacts.api.verdict_shapes import AttestationRow
from artifacts.domain.declarations import Kind
from artifacts.domain.evidence_clock import KeptBy
from artifacts.domain.holds import HoldState
from kernel.shapes import Count, Digest, FilePath, Id, ProjectName, Says, SizeBytes, Time, Url

Reason = Annotated[str, Says(examples=["case 2026-17"])]


class CoversDocument(TypedDict):
    """What a hold covers; all three null is the whole project."""

    artifact: Id | None
    build: Id | None
    paths: Annotated[str | None, Says(examples=["dist/**"])]


class ConsentDocument(TypedDict):
    """Somebody who wants a hold lifted."""

    by: str
    at: Time
    reason: Reason
    counts: Annotated[bool, Says(description="False once it is more than a week old.")]


class LiftingDocument(TypedDict):
    """How far the lifting of a hold is."""

    persons_needed: Annotated[int, Says(minimum=2, examples=[2])]
    asked: list[ConsentDocument]
    lifted_at: Time | None


class HoldUrls(TypedDict):
    """Where to go from a hold."""

    self: Url
    lift: Url


class HoldDocument(TypedDict):
    """A legal hold."""

    id: Id
    project: ProjectName
    covers: CoversDocument
    reason: Reason
    state: Annotated[str, Says(enum=[state.value for state in HoldState])]
    placed_at: Time
    placed_by: str
    ends_at: Time | None
    lifting: LiftingDocument
    urls: HoldUrls


class MarkDocument(TypedDict):
    """Why an artifact is yanked, or in quarantine."""

    reason: Reason
    at: Time
    by: str


class TrashedDocument(TypedDict):
    """Something in the trash."""

    artifact: Id
    path: FilePath
    sha256: Digest
    size_bytes: SizeBytes
    removed_at: Time
    removed_by: str
    restorable_until: Time
    reason: str
    rule: Annotated[str | None, Says(description="The retention rule; null for a person's act.")]
    restore: Url


class EvidenceClockDocument(TypedDict):
    """Until when the bundles of a build are kept of which files are gone."""

    kept_until: Annotated[Time | None, Says(description="Null is for ever.")]
    kept_by: Annotated[
        str | None,
        Says(
            enum=[*(why.value for why in KeptBy), None],
            description="What keeps them now; null where an operator may end them.",
        ),
    ]


class TombstoneDocument(TypedDict):
    """What is left of an artifact that is gone for good."""

    artifact: Id
    path: FilePath
    build: Url
    sha256: Digest
    size_bytes: SizeBytes
    stored_at: Time
    expired_at: Annotated[Time | None, Says(description="Null where a person removed it.")]
    removed_at: Time
    removed_by: str
    buried_at: Annotated[Time, Says(description="From then on its bytes were given up.")]
    reason: str
    rule: CitedRuleDocument | None
    plan: Id | None
    removal: Annotated[Url, Says(description="The attestation that it was removed.")]
    evidence: Annotated[
        EvidenceClockDocument | None,
        Says(description="Null where no bundle of its build is kept; the removal's always is."),
    ]
    attestations: Annotated[
        list[AttestationRow],
        Says(description="All about its bytes in its build, then the removal's."),
    ]


class CountedDocument(TypedDict):
    """How many artifacts of a build were changed."""

    build: Id
    artifacts: Count


class DeclaredUseDocument(TypedDict):
    """A declaration that bytes are in use."""

    id: Id
    kind: Annotated[str, Says(enum=[kind.value for kind in Kind])]
    sha256: Digest
    protects: Annotated[bool, Says(description="Whether it keeps the bytes as things stand.")]
    ends_at: Time | None
    declared_at: Time
    declared_by: str
    record: Annotated[dict[str, Any], Says(description="As it was declared.")]
