"""Holds, yank, quarantine, trash and declared use, as the API reference describes them."""

from typing import Any, Final

from artifacts.api.holds import HoldIn
from artifacts.api.keeping_shapes import (
    CountedDocument,
    DeclaredUseDocument,
    HoldDocument,
    MarkDocument,
    TrashedDocument,
)
from artifacts.api.reasons import ReasonIn
from artifacts.api.reference.projects import NEED_A_RIGHT, OF_PROJECT
from artifacts.api.shapes import ArtifactDocument
from artifacts.api.uses import DeploymentRecordIn, RecordIn, ReleaseRecordIn, StorageRecordIn
from artifacts.domain.declarations import Kind
from artifacts.domain.holds import (
    ArtifactHeld,
    HoldMalformed,
    HoldNeedsAnother,
    HoldNotActive,
    HoldNotFound,
    HoldState,
)
from artifacts.domain.reasons import ReasonMissing
from artifacts.errors import (
    ArtifactExpired,
    ArtifactKept,
    ArtifactNotFound,
    ArtifactNotPublished,
    ArtifactRemoved,
    BuildNotFound,
    NameImmutable,
    OrganizationNotFound,
    QuotaExceeded,
)
from kernel.actor import PersonNeeded
from kernel.digest import MalformedDigest
from kernel.errors import Refusal
from kernel.reference import (
    BODY,
    CURSOR,
    SHA256,
    Answer,
    Asker,
    Body,
    Operation,
    Operations,
    Parameter,
    Reader,
)
from kernel.rest import MalformedRequest
from kernel.shapes import DIGEST_EXAMPLE, Count, Id

_ARTIFACT: Final = "/api/v1/artifacts/{artifact}"
_BUILD: Final = "/api/v1/builds/{build}"
_PROJECT: Final = "/api/v1/projects/{organization}/{project}"
_WHY: Final = Body(ReasonIn, {"reason": "case 2026-17"})
_OF_ARTIFACT: Final = (
    *BODY,
    *NEED_A_RIGHT,
    ArtifactExpired,
    ArtifactNotFound,
    ArtifactRemoved,
    ReasonMissing,
)
_OF_BUILD: Final = (*BODY, *NEED_A_RIGHT, BuildNotFound, ReasonMissing)
_HOLD_FILTERS: Final = (
    Parameter("state", HoldState, "Only in this state."),
    Parameter("artifact", Id, "Only of this artifact."),
    Parameter("build", Id, "Only of this build."),
    CURSOR,
)


def _holds(address: str, name: str, whose: str, refusals: tuple[type[Refusal], ...]) -> Operations:
    page = Answer(200, "At most 100.", {"holds": [HoldDocument]}, may_have=("Link",))
    return {
        f"GET {address}": Operation(
            id=f"list_holds_of_{name}",
            reader=Reader.ADMINISTRATOR,
            summary=f"The legal holds of {whose}, newest first",
            parameters=_HOLD_FILTERS,
            answers=(page,),
            refusals=(*refusals, MalformedRequest),
        )
    }


def _act(
    address: str, name: str, summary: str, shape: object, refusals: tuple[type[Refusal], ...]
) -> Operations:
    """Something that is done to an artifact or a build for a reason."""
    return {
        f"POST {address}": Operation(
            id=name,
            reader=Reader.ADMINISTRATOR,
            summary=summary,
            text="With a reason, which is kept with it. Again is harmless.",
            body=_WHY,
            answers=(Answer(200, "It is so.", shape),),
            refusals=refusals,
        )
    }


def _record(kind: Kind, shape: type[RecordIn], more: dict[str, str], text: str) -> Operations:
    example = {"name": "widget", "digest": f"sha256:{DIGEST_EXAMPLE}", **more}
    answer = {"total_count": Count, f"{kind}_records": [dict[str, Any]]}
    shown = {"total_count": 1, f"{kind}_records": [{"id": "0197d2a4", **example}]}
    return {
        f"POST {_PROJECT}/metadata/{kind}-record": Operation(
            id=f"declare_{kind}",
            reader=Reader.ADMINISTRATOR,
            summary=f"Declare a {kind} of the project's bytes",
            text=text,
            body=Body(shape, example),
            answers=(Answer(200, "It is written down.", answer, shown),),
            refusals=(*BODY, *OF_PROJECT, ArtifactNotFound, MalformedDigest),
        )
    }


OPERATIONS: Final[Operations] = {
    **_holds("/api/v1/holds", "store", "the store", NEED_A_RIGHT),
    **_holds(
        "/api/v1/organizations/{organization}/holds",
        "organization",
        "an organization",
        (OrganizationNotFound, *NEED_A_RIGHT),
    ),
    **_holds(f"{_PROJECT}/holds", "project", "a project", OF_PROJECT),
    f"POST {_PROJECT}/holds": Operation(
        id="place_hold",
        reader=Reader.ADMINISTRATOR,
        summary="Place a legal hold",
        text="On an artifact, a build, the paths that a pattern names, or with none of these on "
        "all of the project; also on what comes later. Nothing that it covers goes while it "
        "stands. One owner places it, more than one person lifts it.",
        body=Body(HoldIn, {"paths": "dist/**", "reason": "case 2026-17"}),
        answers=(Answer(201, "It stands.", HoldDocument, headers=("Location",)),),
        refusals=(*BODY, *OF_PROJECT, HoldMalformed, ReasonMissing),
    ),
    "GET /api/v1/holds/{hold}": Operation(
        id="show_hold",
        reader=Reader.ADMINISTRATOR,
        summary="A legal hold, and who wants it lifted",
        answers=(Answer(200, "The hold.", HoldDocument),),
        refusals=(HoldNotFound,),
    ),
    "POST /api/v1/holds/{hold}/lift": Operation(
        id="lift_hold",
        reader=Reader.ADMINISTRATOR,
        summary="Say that a legal hold should be lifted",
        text="It stands until so many different people have said so within a week as "
        "`persons_needed` names; never one alone.",
        asker=Asker.PERSON,
        body=_WHY,
        answers=(Answer(200, "The hold as it stands now.", HoldDocument),),
        refusals=(
            *BODY,
            *NEED_A_RIGHT,
            PersonNeeded,
            HoldNotFound,
            HoldNotActive,
            HoldNeedsAnother,
            ReasonMissing,
        ),
    ),
    **_act(
        f"{_ARTIFACT}/yank",
        "yank_artifact",
        "Take an artifact back: no list or latest names it any more",
        {"artifact": Id, "yanked": MarkDocument},
        (*_OF_ARTIFACT, NameImmutable),
    ),
    **_act(
        f"{_BUILD}/yank",
        "yank_build",
        "Take all files of a build back",
        CountedDocument,
        (*_OF_BUILD, NameImmutable),
    ),
    **_act(
        f"{_ARTIFACT}/restore",
        "restore_artifact",
        "Give an artifact back: out of the trash, or out of its yank",
        ArtifactDocument,
        (*_OF_ARTIFACT, QuotaExceeded),
    ),
    **_act(
        f"{_BUILD}/restore",
        "restore_build",
        "End the yank of all files of a build",
        CountedDocument,
        _OF_BUILD,
    ),
    **_act(
        f"{_ARTIFACT}/quarantine",
        "quarantine_artifact",
        "Keep an artifact's bytes from everybody",
        {"artifact": Id, "quarantined": MarkDocument},
        _OF_ARTIFACT,
    ),
    **_act(
        f"{_ARTIFACT}/release",
        "release_artifact",
        "End an artifact's quarantine",
        {"artifact": Id, "quarantined": (MarkDocument, type(None))},
        _OF_ARTIFACT,
    ),
    **_act(
        f"{_ARTIFACT}/remove",
        "remove_artifact",
        "Put an artifact into the trash",
        TrashedDocument,
        (*_OF_ARTIFACT, ArtifactHeld, ArtifactKept, ArtifactNotPublished, NameImmutable),
    ),
    f"GET {_PROJECT}/trash": Operation(
        id="list_trash",
        reader=Reader.ADMINISTRATOR,
        summary="What was removed from a project and can be restored, the last first",
        parameters=(CURSOR,),
        answers=(Answer(200, "At most 500.", {"trash": [TrashedDocument]}, may_have=("Link",)),),
        refusals=(*OF_PROJECT, MalformedRequest),
    ),
    f"GET {_PROJECT}/uses": Operation(
        id="list_uses",
        reader=Reader.ADMINISTRATOR,
        summary="What was declared to be in use of a project's bytes, the last first",
        parameters=(Parameter("kind", Kind, "Only of this kind."), SHA256, CURSOR),
        answers=(Answer(200, "At most 500.", {"uses": [DeclaredUseDocument]}, may_have=("Link",)),),
        refusals=(*OF_PROJECT, MalformedRequest, MalformedDigest),
    ),
    **_record(
        Kind.STORAGE,
        StorageRecordIn,
        {"registry_url": "https://registry.example.com", "status": "active"},
        "In the shape of GitHub's storage records. It keeps the bytes until it is `deleted`.",
    ),
    **_record(
        Kind.DEPLOYMENT,
        DeploymentRecordIn,
        {
            "status": "deployed",
            "logical_environment": "production",
            "deployment_name": "widget",
        },
        "In the shape of GitHub's deployment records. It keeps the bytes until it is "
        "`decommissioned`, or something else is deployed at the same place.",
    ),
    **_record(
        Kind.RELEASE,
        ReleaseRecordIn,
        {"version": "1.4.0", "status": "published"},
        "It keeps the bytes until it is `withdrawn`.",
    ),
}
