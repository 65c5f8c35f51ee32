"""The members of each JSON answer about projects, builds and artifacts, and what they mean.

`documents` and the views write them, mypy compares, and the API reference is made of them.
"""

from typing import Annotated, Any, Literal, TypedDict

from artifacts.api.keeping_shapes import MarkDocument
from artifacts.api.retention_shapes import ExpiryDocument
from artifacts.domain.archives import MemberKind
from artifacts.domain.handover import Way
from artifacts.domain.lifecycle import BuildState
from artifacts.domain.transfer import UploadState
from kernel.shapes import (
    Count,
    Digest,
    FilePath,
    Id,
    ProjectName,
    Says,
    SizeBytes,
    Slug,
    Time,
    Url,
    UrlTemplate,
)

# Rows give these words as text; a test of every answer compares.
StateOfBuild = Annotated[str, Says(enum=[state.value for state in BuildState])]
StateOfUpload = Annotated[str, Says(enum=[state.value for state in UploadState])]
KindOfMember = Annotated[str, Says(enum=[kind.value for kind in MemberKind])]
AttestationState = Literal["pending", "published", "refused"]
Reason = Annotated[
    dict[str, Any] | None,
    Says(description="Why not, by `code` and facts; null where nothing was refused."),
]
Job = Annotated[
    str,
    Says(
        description="The key of the CI job that brought it, or `release` without CI identity.",
        examples=["https://token.actions.githubusercontent.com#4242/1001/1/7"],
    ),
]
Ref = Annotated[
    str,
    Says(
        description="The branch or tag that was witnessed; empty where none was.",
        examples=["refs/heads/main"],
    ),
]
Commit = Annotated[
    str,
    Says(
        description="The commit that was witnessed; empty where none was.",
        examples=["e7c2b1f4a9d8e7c2b1f4a9d8e7c2b1f4a9d8e7c2"],
    ),
]


FailureReason = Annotated[
    str | None,
    Says(description="What went wrong then, in one code; null where nothing says so."),
]
FailingService = Annotated[
    str | None, Says(description="Which of the signer's services failed; null where none did.")
]


class SelfUrl(TypedDict):
    """Where it is."""

    self: Url


class OrganizationDocument(TypedDict):
    """An organization."""

    id: Id
    organization: Slug
    created_at: Time
    urls: SelfUrl


class ProjectUrls(TypedDict):
    """Where a project's parts are."""

    self: Url
    builds: Url
    files: Url
    latest: UrlTemplate
    upload: UrlTemplate


class ProjectDocument(TypedDict):
    """A project and where its parts are."""

    id: Id
    organization: Slug
    project: Annotated[str, Says(examples=["widget"])]
    is_public: bool
    created_at: Time
    urls: ProjectUrls


class BuildOfArtifact(TypedDict):
    """The build that brought an artifact."""

    id: Id
    state: StateOfBuild


class AttestationOfArtifact(TypedDict):
    """How the attestation of an artifact's build goes."""

    status: AttestationState


class ArtifactUrls(TypedDict):
    """Where to go from an artifact."""

    self: Url
    download: Url
    members: Url
    download_by_name: Url
    verification: Url
    attestations: Url
    build: Url


class ArtifactDocument(TypedDict):
    """An artifact, the state of its build, and where to go from here."""

    id: Id
    path: FilePath
    sha256: Digest
    size_bytes: SizeBytes
    stored_at: Time
    project: ProjectName
    build: BuildOfArtifact
    attestation: AttestationOfArtifact
    expiry: ExpiryDocument
    yanked: Annotated[
        MarkDocument | None,
        Says(description="Why no list or latest names it; it is handed out with a warning."),
    ]
    quarantined: Annotated[
        MarkDocument | None, Says(description="Why its bytes are handed out to nobody.")
    ]
    urls: ArtifactUrls


class BuildSummary(TypedDict):
    """A build as a row of a list."""

    id: Id
    state: StateOfBuild
    origin: Job
    name: str
    is_shared: bool
    has_ci_identity: bool
    ref: Ref
    commit: Commit
    asked_life_days: Annotated[
        int | None,
        Says(description="The life that was asked for its files; policies may end them sooner."),
    ]
    opened_at: Time
    sealed_at: Time | None
    published_at: Time | None
    url: Url


class OpenBuildUrls(TypedDict):
    """Where a job goes on with its build."""

    self: Url
    upload: UrlTemplate
    seal: Url
    uploads: Url


class OpenBuildDocument(BuildSummary):
    """A build for one of its jobs: where its files go, and how it ends."""

    project: ProjectName
    urls: OpenBuildUrls


class FileDocument(TypedDict):
    """An artifact as a row of its build's files."""

    id: Id
    path: FilePath
    sha256: Digest
    size_bytes: SizeBytes
    job: Job
    is_yanked: bool
    url: Url


class FoundDocument(TypedDict):
    """An artifact as a row of what was found in its project."""

    id: Id
    path: FilePath
    sha256: Digest
    size_bytes: SizeBytes
    ref: Ref
    stored_at: Time
    build: BuildOfArtifact
    url: Url


class AttestationRequestDocument(TypedDict):
    """One statement that is to come, for somebody who waits."""

    state: Annotated[str, Says(enum=["pending", "attested", "refused", "given-up"])]
    attempts: Count
    next_attempt_at: Time
    last_error: Annotated[str | None, Says(description="The code of the last attempt's problem.")]
    reason: FailureReason
    service: FailingService
    confirmation: Annotated[
        str,
        Says(
            enum=["not-asked", "confirmed", "incomplete", "unreachable", "refuted"],
            description="What the platform's API said about the job.",
        ),
    ]


class AttestationOfBuild(TypedDict):
    """How a build's attestation goes: one request for each group of files of one job."""

    status: AttestationState
    requests: list[AttestationRequestDocument]


class BuildUrls(TypedDict):
    """Where a build and all of its files are."""

    self: Url
    files: Url


class BuildDocument(BuildSummary):
    """A build with its first files; `Link` leads to the others."""

    project: ProjectName
    refused: Reason
    attestation: AttestationOfBuild
    artifact_count: Count
    artifacts: list[FileDocument]
    urls: BuildUrls


class ArrivedDocument(TypedDict):
    """A part of a direct upload that the bucket has."""

    number: Count
    size_bytes: SizeBytes
    sha256: Digest | None


class StoredDocument(TypedDict):
    """What was measured of a direct upload, and is the build's."""

    artifact: Id
    sha256: Digest
    size_bytes: SizeBytes


class UploadUrls(TypedDict):
    """Where to go from a direct upload."""

    self: Url
    parts: Url
    complete: Url
    build: Url
    artifact: Url | None


class UploadDocument(TypedDict):
    """A direct upload, how far it is, and where to go from here."""

    id: Id
    build: Id
    path: FilePath
    state: StateOfUpload
    sha256: Digest
    size_bytes: SizeBytes
    part_bytes: Annotated[int, Says(description="The size of each part but the last, in bytes.")]
    part_count: Count
    arrived: Annotated[
        list[ArrivedDocument] | None,
        Says(description="What the bucket has of it; null in answers that did not ask the bucket."),
    ]
    measured_bytes: SizeBytes
    last_error: Annotated[str | None, Says(description="The code of the last attempt's problem.")]
    refused: Reason
    stored: StoredDocument | None
    started_at: Time
    completed_at: Time | None
    urls: UploadUrls


class SignedPartDocument(TypedDict):
    """Where one part goes: exactly these headers, and bytes of exactly the named digest."""

    number: Count
    method: Literal["PUT"]
    url: Annotated[str, Says(format="uri", examples=["https://bucket.example.com/blobs/…"])]
    headers: dict[str, str]
    expires_at: Time


class DownloadLine(TypedDict):
    """Who was given what, or was refused it."""

    id: Id
    at: Time
    artifact: Id
    build: Id
    path: FilePath
    member: Annotated[str, Says(description="The member of an archive; empty for the whole.")]
    sha256: Digest
    actor: Annotated[str, Says(examples=["anonymous"])]
    address: Annotated[str | None, Says(description="The IP address, where it is known.")]
    way: Annotated[
        str,
        Says(
            enum=[*(way.value for way in Way), "head", "not-modified", "members", "member", "none"],
            description="Who sent the bytes, or why none were sent.",
        ),
    ]
    range: Annotated[str, Says(description="The part that was sent; empty for all of it.")]
    verdict: Annotated[str, Says(enum=["allowed", "observed", "refused"])]
    reason: str
    decision: str
    request_id: str


class MemberDocument(TypedDict):
    """A member of an archive, in the archive's own words: believed never."""

    path: Annotated[str, Says(examples=["widget-1.4.0/README.md"])]
    kind: KindOfMember
    size_bytes: SizeBytes
    target: Annotated[str, Says(description="Where a link leads; else empty.")]
    is_fetchable: bool
    why_not: str
