"""Builds and the files that pass through the store, as the API reference describes them."""

from typing import Annotated, Final

from artifacts.api.builds import MAX_SEAL_BYTES, BuildIn
from artifacts.api.reference.projects import NEED_A_RIGHT, OF_PROJECT, READ_PROJECT
from artifacts.api.shapes import (
    ArtifactDocument,
    BuildDocument,
    BuildSummary,
    FileDocument,
    OpenBuildDocument,
    StateOfBuild,
)
from artifacts.api.uploads import LIFE
from artifacts.domain.holds import ArtifactHeld
from artifacts.domain.names import UnsafeName, UnsafePath
from artifacts.errors import (
    ArtifactExpired,
    ArtifactNotFound,
    ArtifactRemoved,
    BuildDiffers,
    BuildEmpty,
    BuildFull,
    BuildNotFound,
    BuildNotYours,
    BuildSealed,
    CiIdentityMissing,
    DigestMismatch,
    DigestsContradict,
    EncodedUpload,
    LengthRequired,
    NameImmutable,
    PartialUpload,
    PathTaken,
    QuotaExceeded,
    StorageFull,
    StorageUnavailable,
    UploadInProgress,
    UploadsPending,
    UploadTooLarge,
    UploadTruncated,
)
from kernel.actor import PermissionMissing
from kernel.digest import MalformedDigest
from kernel.reference import (
    BODY,
    CURSOR,
    OCTETS,
    PREFIX,
    SINCE,
    Answer,
    Asker,
    Body,
    Operation,
    Operations,
    Parameter,
    Reader,
)
from kernel.rest import MalformedRequest
from kernel.shapes import DIGEST_EXAMPLE, Digest, FilePath, Id, Says
from provenance.domain.build_facts import MalformedFacts

_PROJECT: Final = "/api/v1/projects/{organization}/{project}"
_BUILD: Final = "/api/v1/builds/{build}"
READ_BUILD: Final = (BuildNotFound, PermissionMissing)
OF_OWN_BUILD: Final = (BuildNotFound, *NEED_A_RIGHT, BuildNotYours)

_BYTES: Final = Body(str, media_type=OCTETS, limit_bytes=0)
_DECLARED: Final = tuple(
    Parameter(name, str, text, where="header")
    for name, text in (
        (
            "Repr-Digest",
            "What the bytes are to be: `sha-256=:…:` (RFC 9530); needed without `Content-Length`.",
        ),
        ("Content-Digest", "The same; where both are given they must agree."),
    )
)
_LIFE: Final = Parameter(
    LIFE,
    int,
    "How many days the file is needed at most. Policies may end it sooner, and keep it longer; the "
    "answer says when it expires, and why.",
    where="header",
)
# What can be wrong with a body of bytes, wherever it goes.
_INCOMING: Final = (
    DigestMismatch,
    DigestsContradict,
    EncodedUpload,
    LengthRequired,
    MalformedDigest,
    MalformedRequest,
    PartialUpload,
    NameImmutable,
    PathTaken,
    QuotaExceeded,
    StorageFull,
    StorageUnavailable,
    UnsafePath,
    UploadTooLarge,
    UploadTruncated,
)
_STANDS: Final = (
    Answer(201, "It is there and is new.", ArtifactDocument, headers=("Location", "Repr-Digest")),
    Answer(
        200,
        "The same bytes were there already: a retry is harmless.",
        ArtifactDocument,
        headers=("Location", "Repr-Digest"),
    ),
)
_SHOW: Final = Answer(200, "The build with its first 500 files.", BuildDocument, may_have=("Link",))

OPERATIONS: Final[Operations] = {
    f"PUT {_PROJECT}/artifacts/{{path}}": Operation(
        id="publish_file",
        reader=Reader.JOB,
        summary="Upload a file that is a build of its own",
        text="The body is the file, as `curl -T` sends it; it is sealed at once, and published "
        "when its attestation has been made.",
        parameters=(*_DECLARED, _LIFE),
        body=_BYTES,
        answers=_STANDS,
        refusals=(*OF_PROJECT, *_INCOMING, ArtifactExpired, ArtifactRemoved),
    ),
    f"GET {_PROJECT}/builds": Operation(
        id="list_builds",
        reader=Reader.CONSUMER,
        summary="The builds of a project, newest first",
        asker=Asker.READER,
        parameters=(
            CURSOR,
            Parameter("state", StateOfBuild, "Only in this state."),
            Parameter("ref", str, "Only of this branch or tag, whole: `refs/heads/main`."),
            Parameter("commit", str, "Only of this commit, whole."),
            Parameter("name", str, "Only of this name."),
            SINCE,
        ),
        answers=(
            Answer(200, "One page of at most 50.", {"builds": [BuildSummary]}, may_have=("Link",)),
        ),
        refusals=(*READ_PROJECT, MalformedRequest),
    ),
    f"POST {_PROJECT}/builds": Operation(
        id="open_build",
        reader=Reader.JOB,
        summary="Open a build for the token's job, or find the job's",
        text="Several jobs of one run share a build that has a name and is `shared`.",
        body=Body(BuildIn, {"name": "release", "shared": True}),
        answers=tuple(
            Answer(status, text, OpenBuildDocument, headers=("Location",))
            for status, text in ((201, "It is open and new."), (200, "It was open already."))
        ),
        refusals=(*BODY, *OF_PROJECT, CiIdentityMissing, MalformedFacts, UnsafeName),
    ),
    f"GET {_PROJECT}/builds/{{build}}": Operation(
        id="show_build_of_project",
        reader=Reader.CONSUMER,
        summary="A build, by its project",
        asker=Asker.READER,
        answers=(_SHOW,),
        refusals=(*READ_PROJECT, BuildNotFound),
    ),
    f"GET {_BUILD}": Operation(
        id="show_build",
        reader=Reader.CONSUMER,
        summary="A build: its state, its first files, how its attestation goes",
        asker=Asker.READER,
        answers=(_SHOW,),
        refusals=READ_BUILD,
    ),
    f"GET {_BUILD}/files": Operation(
        id="list_files_of_build",
        reader=Reader.CONSUMER,
        summary="The files of a build, by path",
        asker=Asker.READER,
        parameters=(CURSOR, PREFIX),
        answers=(
            Answer(
                200,
                "One page of at most 500.",
                {"build": Id, "artifacts": [FileDocument]},
                may_have=("Link",),
            ),
        ),
        refusals=(*READ_BUILD, MalformedRequest),
    ),
    f"PUT {_BUILD}/files/{{path}}": Operation(
        id="add_file",
        reader=Reader.JOB,
        summary="Upload a file to an open build",
        text="The body is the file. Nobody sees it before the build is published.",
        parameters=_DECLARED,
        body=_BYTES,
        answers=_STANDS,
        refusals=(*OF_OWN_BUILD, *_INCOMING, BuildFull, BuildSealed, UploadInProgress),
    ),
    f"DELETE {_BUILD}/files/{{path}}": Operation(
        id="withdraw_file",
        reader=Reader.JOB,
        summary="Take a file back out of an open build",
        text="Other bytes may then take its path.",
        answers=(Answer(204, "It is not in the build any more."),),
        refusals=(*OF_OWN_BUILD, ArtifactHeld, BuildSealed, ArtifactNotFound),
    ),
    f"POST {_BUILD}/seal": Operation(
        id="seal_build",
        reader=Reader.JOB,
        summary="Seal a build that has exactly these files",
        text="Again is harmless. Files become visible together, once the attestation is made.",
        body=Body(
            {"files": [{"path": FilePath, "sha256": Annotated[Digest, Says()]}]},
            {"files": [{"path": "dist/widget-1.4.0.tar.gz", "sha256": DIGEST_EXAMPLE}]},
            limit_bytes=MAX_SEAL_BYTES,
        ),
        answers=(Answer(200, "It is sealed; with its first 500 files.", BuildDocument),),
        refusals=(
            *BODY,
            *OF_OWN_BUILD,
            BuildDiffers,
            BuildEmpty,
            BuildSealed,
            UploadsPending,
        ),
    ),
}
