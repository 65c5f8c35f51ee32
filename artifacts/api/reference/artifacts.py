"""One artifact: its verified download and its evidence, as the API reference describes them."""

from typing import Final

from artifacts.api.downloads import BUNDLE_TYPE
from artifacts.api.keeping_shapes import TombstoneDocument
from artifacts.api.reference.projects import READ_PROJECT
from artifacts.api.shapes import ArtifactDocument, MemberDocument
from artifacts.api.verdict_shapes import AttestationRow, Subject, VerificationDocument
from artifacts.domain.archives import (
    ArchiveMalformed,
    ArchiveMemberNotFetchable,
    ArchiveMemberNotFound,
    ArchiveTooCostly,
    NotAnArchive,
)
from artifacts.errors import (
    ArchivesBusy,
    ArtifactExpired,
    ArtifactNotFound,
    ArtifactNotPublished,
    ArtifactQuarantined,
    ArtifactRemoved,
    AttestationNotFound,
    BlobDamaged,
    BlobMissing,
    BuildNotFound,
    DownloadLogUnavailable,
    PreconditionFailed,
    RangeNotSatisfiable,
    StorageUnavailable,
    TombstoneNotFound,
)
from kernel.actor import PermissionMissing
from kernel.reference import (
    CURSOR,
    OCTETS,
    RANGES,
    Answer,
    Asker,
    Operation,
    Operations,
    Reader,
)
from kernel.rest import MalformedRequest
from kernel.shapes import Digest, Url
from provenance.errors import EvidenceEnded, PolicyNotMet, TrustRootMissing

_ARTIFACT: Final = "/api/v1/artifacts/{artifact}"
_OF_ARTIFACT: Final = (ArtifactExpired, ArtifactNotFound, ArtifactRemoved, PermissionMissing)
_OF_TOMBSTONE: Final = (TombstoneNotFound, PermissionMissing)
_DECIDED: Final = (*_OF_ARTIFACT, ArtifactNotPublished, TrustRootMissing)
_LOOKED_INTO: Final = (
    *_DECIDED,
    ArtifactQuarantined,
    PolicyNotMet,
    ArchiveMalformed,
    ArchivesBusy,
    ArchiveTooCostly,
    BlobDamaged,
    BlobMissing,
    DownloadLogUnavailable,
    MalformedRequest,
    NotAnArchive,
    StorageUnavailable,
)
_SENT: Final = (
    *_DECIDED,
    ArtifactQuarantined,
    PolicyNotMet,
    BlobDamaged,
    BlobMissing,
    DownloadLogUnavailable,
    PreconditionFailed,
    RangeNotSatisfiable,
    StorageUnavailable,
)
_OF_BYTES: Final = (
    "Cache-Control",
    "ETag",
    "Last-Modified",
    "Repr-Digest",
    "Strongroom-Verification",
)
_MAY_HAVE: Final = ("Link", "Accept-Ranges", "Strongroom-Yanked")
_BYTES: Final = (
    Answer(
        200,
        "All of the bytes.",
        str,
        media_type=OCTETS,
        headers=(*_OF_BYTES, "Content-Disposition"),
        may_have=_MAY_HAVE,
    ),
    Answer(
        206,
        "The part that `Range` names.",
        str,
        media_type=OCTETS,
        headers=(*_OF_BYTES, "Content-Disposition", "Content-Range"),
        may_have=_MAY_HAVE,
    ),
    Answer(
        304,
        "You have it already, and it is still allowed.",
        headers=_OF_BYTES,
        may_have=_MAY_HAVE,
    ),
)
_REDIRECT: Final = Answer(
    302,
    "Where the store lets its bucket send the bytes: an address that holds for a minute.",
    headers=(*_OF_BYTES, "Location"),
    may_have=_MAY_HAVE,
)
_DOWNLOAD: Final = (
    "The project's policy is decided first, also for `HEAD`, ranges and conditions, and the answer "
    "is in the download log before the first byte leaves. `HEAD` answers the same without bytes."
)

_READ_BY_COSIGN: Final = "`cosign verify-blob-attestation --bundle` reads it."
_BUNDLE: Final = Answer(
    200,
    "The bundle (v0.3).",
    dict[str, object],
    media_type=BUNDLE_TYPE,
    headers=("ETag", "Repr-Digest", "Content-Disposition"),
)

OPERATIONS: Final[Operations] = {
    f"GET {_ARTIFACT}": Operation(
        id="show_artifact",
        reader=Reader.CONSUMER,
        summary="An artifact without its bytes",
        asker=Asker.READER,
        answers=(Answer(200, "The artifact.", ArtifactDocument),),
        refusals=_OF_ARTIFACT,
    ),
    f"GET {_ARTIFACT}/download": Operation(
        id="download",
        reader=Reader.CONSUMER,
        summary="The verified download",
        text=_DOWNLOAD,
        asker=Asker.READER,
        parameters=RANGES,
        answers=(*_BYTES, _REDIRECT),
        refusals=_SENT,
    ),
    "GET /api/v1/projects/{organization}/{project}/builds/{build}/artifacts/{path}": Operation(
        id="download_by_name",
        reader=Reader.CONSUMER,
        summary="The verified download by project, build and path",
        text=_DOWNLOAD,
        asker=Asker.READER,
        parameters=RANGES,
        answers=(*_BYTES, _REDIRECT),
        refusals=(*READ_PROJECT, *_SENT, BuildNotFound),
    ),
    f"GET {_ARTIFACT}/members": Operation(
        id="list_members_of_archive",
        reader=Reader.CONSUMER,
        summary="What is in an archive, in its own order",
        text="After the decision about all of it. Names and sizes are the archive's own words.",
        asker=Asker.READER,
        parameters=(CURSOR,),
        answers=(
            Answer(
                200,
                "One page of at most 1000.",
                {
                    "artifact": Url,
                    "sha256": Digest,
                    "is_measured": bool,
                    "format": str,
                    "members": [MemberDocument],
                },
                headers=("Cache-Control", "Strongroom-Verification"),
                may_have=("Link", "Strongroom-Yanked"),
            ),
        ),
        refusals=_LOOKED_INTO,
    ),
    f"GET {_ARTIFACT}/members/{{path}}": Operation(
        id="download_member",
        reader=Reader.CONSUMER,
        summary="One file of an archive",
        text="With the digest of its own bytes. It is a part, and has no attestation of its own.",
        asker=Asker.READER,
        parameters=RANGES,
        answers=tuple(
            Answer(
                answer.status,
                answer.text,
                answer.shape,
                media_type=answer.media_type,
                headers=(*answer.headers, "Strongroom-Part-Of"),
                may_have=answer.may_have,
            )
            for answer in _BYTES
        ),
        refusals=(
            *_LOOKED_INTO,
            ArchiveMemberNotFetchable,
            ArchiveMemberNotFound,
            PreconditionFailed,
            RangeNotSatisfiable,
        ),
    ),
    f"GET {_ARTIFACT}/verification": Operation(
        id="show_verification",
        reader=Reader.CONSUMER,
        summary="The decision: every attestation, every step, and why not higher",
        text="As the project's policy decides now.",
        asker=Asker.READER,
        answers=(Answer(200, "The decision.", VerificationDocument, headers=("Cache-Control",)),),
        refusals=_DECIDED,
    ),
    f"GET {_ARTIFACT}/attestations": Operation(
        id="list_attestations",
        reader=Reader.CONSUMER,
        summary="Every attestation about the artifact in its build, oldest first",
        text="Whether they count or not.",
        asker=Asker.READER,
        answers=(
            Answer(
                200,
                "All of them.",
                {"artifact": Url, "subject": Subject, "attestations": [AttestationRow]},
            ),
        ),
        refusals=_OF_ARTIFACT,
    ),
    f"GET {_ARTIFACT}/attestations/{{identity}}": Operation(
        id="show_bundle",
        reader=Reader.CONSUMER,
        summary="One attestation, as the exact bytes of its Sigstore bundle",
        text=_READ_BY_COSIGN,
        asker=Asker.READER,
        answers=(_BUNDLE,),
        refusals=(*_OF_ARTIFACT, AttestationNotFound, EvidenceEnded),
    ),
    f"GET {_ARTIFACT}/tombstone": Operation(
        id="show_tombstone",
        reader=Reader.CONSUMER,
        summary="What is left of an artifact that is gone for good",
        text="Who or what removed it, every attestation about it, and until when their bundles are "
        "kept.",
        asker=Asker.READER,
        answers=(Answer(200, "The tombstone.", TombstoneDocument),),
        refusals=_OF_TOMBSTONE,
    ),
    f"GET {_ARTIFACT}/tombstone/attestations/{{identity}}": Operation(
        id="show_bundle_of_tombstone",
        reader=Reader.CONSUMER,
        summary="One attestation about what is gone: the removal's, or one of its build",
        text=_READ_BY_COSIGN,
        asker=Asker.READER,
        answers=(_BUNDLE,),
        refusals=(*_OF_TOMBSTONE, AttestationNotFound, EvidenceEnded),
    ),
}
