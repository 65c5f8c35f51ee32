"""The index, the limits, organizations and projects, as the API reference describes them."""

from typing import Annotated, Final

from artifacts.api.administration import OrganizationIn, ProjectIn
from artifacts.api.download_log import FILTERS
from artifacts.api.latest import AllowedRefsIn
from artifacts.api.listings import VisibilityIn
from artifacts.api.policy import PolicyIn
from artifacts.api.shapes import DownloadLine, OrganizationDocument, ProjectDocument
from artifacts.domain.names import UnsafeName
from artifacts.domain.refs import RefNotNameable
from artifacts.errors import (
    NameTaken,
    OrganizationNotFound,
    PolicyChanged,
    ProjectNotFound,
    PublicSigningUnderWay,
)
from kernel.actor import PermissionMissing, Unauthenticated
from kernel.digest import MalformedDigest
from kernel.reference import (
    BODY,
    CURSOR,
    SHA256,
    SINCE,
    UNTIL,
    Answer,
    Asker,
    Body,
    Operation,
    Operations,
    Parameter,
    Reader,
)
from kernel.rest import MalformedRequest
from kernel.shapes import Count, Id, ProjectName, Says, UrlTemplate
from provenance.domain.policy import Enforcement

NEED_A_RIGHT: Final = (Unauthenticated, PermissionMissing)
OF_PROJECT: Final = (ProjectNotFound, *NEED_A_RIGHT)
# What a stranger may not read does not exist for them; a token may see it without reading it.
READ_PROJECT: Final = (ProjectNotFound, PermissionMissing)
_PROJECT: Final = "/api/v1/projects/{organization}/{project}"
_ALLOWED_REFS: Final = {"allowed_refs": [Annotated[str, Says(examples=["refs/heads/release-*"])]]}
_POLICY: Final = {
    "project": ProjectName,
    "version": Annotated[int, Says(minimum=0, description="Raised by each change.")],
    "enforcement": Enforcement,
    "sources": [dict[str, str]],
    "accepts_release": bool,
}
_LIMITED: Final = {"limit_bytes": Count, "setting": str, "raised_by": str}
_DIRECT: Final = {
    "is_offered": bool,
    "hindrance": Annotated[
        dict[str, object] | None,
        Says(description="Why files cannot go straight to the bucket; null where they can."),
    ],
    "from_bytes": Annotated[
        int, Says(minimum=0, description="Files of this size and larger should go there.")
    ],
    "limit_bytes": Count,
    "setting": str,
}
_DOWNLOADS: Final = {
    "artifact": Parameter("artifact", Id, "Of this artifact."),
    "sha256": SHA256,
    "actor": Parameter("actor", str, "By this actor, as the log names it."),
    "since": SINCE,
    "until": UNTIL,
}

OPERATIONS: Final[Operations] = {
    "GET /api/v1/": Operation(
        id="show_index",
        reader=Reader.CONSUMER,
        summary="The addresses of the API",
        text="Addresses by name, as URI templates (RFC 6570).",
        asker=Asker.READER,
        answers=(Answer(200, "The addresses.", dict[str, UrlTemplate]),),
    ),
    "GET /api/v1/limits": Operation(
        id="show_limits",
        reader=Reader.JOB,
        summary="Every limit, and who can change it",
        asker=Asker.READER,
        answers=(
            Answer(
                200,
                "The limits: bytes, files, characters or rows, as their names say.",
                {
                    "upload": _LIMITED,
                    "direct": _DIRECT,
                    "build": {"limit_files": Count, "setting": str, "raised_by": str},
                    "path": {"limit_bytes": Count, "segment_limit_bytes": Count},
                    "slug": {"limit_characters": Count},
                    "page": {"builds": Count, "files": Count, "downloads": Count},
                    "digests": {"limit": Count},
                    "seal": {"limit_bytes": Count},
                },
            ),
        ),
    ),
    "GET /api/v1/organizations": Operation(
        id="list_organizations",
        reader=Reader.ADMINISTRATOR,
        summary="The organizations that exist for who asks, by name",
        asker=Asker.READER,
        parameters=(CURSOR,),
        answers=(
            Answer(
                200,
                "One page of at most 100.",
                {"organizations": [OrganizationDocument]},
                may_have=("Link",),
            ),
        ),
        refusals=(MalformedRequest,),
    ),
    "POST /api/v1/organizations": Operation(
        id="create_organization",
        reader=Reader.ADMINISTRATOR,
        summary="Create an organization",
        text="Administrators of the instance do. A name is given once and for ever.",
        body=Body(OrganizationIn, {"organization": "acme"}),
        answers=(Answer(201, "It is there.", OrganizationDocument, headers=("Location",)),),
        refusals=(*BODY, *NEED_A_RIGHT, UnsafeName, NameTaken),
    ),
    "GET /api/v1/organizations/{organization}": Operation(
        id="show_organization",
        reader=Reader.ADMINISTRATOR,
        summary="An organization",
        asker=Asker.READER,
        answers=(Answer(200, "The organization.", OrganizationDocument),),
        refusals=(OrganizationNotFound,),
    ),
    "GET /api/v1/projects": Operation(
        id="list_projects",
        reader=Reader.CONSUMER,
        summary="The projects that exist for who asks, by name",
        asker=Asker.READER,
        parameters=(CURSOR, Parameter("organization", str, "Only of this organization.")),
        answers=(
            Answer(
                200, "One page of at most 100.", {"projects": [ProjectDocument]}, may_have=("Link",)
            ),
        ),
        refusals=(MalformedRequest,),
    ),
    "POST /api/v1/projects": Operation(
        id="create_project",
        reader=Reader.ADMINISTRATOR,
        summary="Create a project",
        text="Owners of the organization do. It is private where nothing else is said.",
        body=Body(ProjectIn, {"organization": "acme", "project": "widget", "is_public": False}),
        answers=(Answer(201, "It is there.", ProjectDocument, headers=("Location",)),),
        refusals=(*BODY, *NEED_A_RIGHT, OrganizationNotFound, UnsafeName, NameTaken),
    ),
    f"GET {_PROJECT}": Operation(
        id="show_project",
        reader=Reader.CONSUMER,
        summary="A project, and where its parts are",
        asker=Asker.READER,
        answers=(Answer(200, "The project.", ProjectDocument),),
        refusals=READ_PROJECT,
    ),
    f"PATCH {_PROJECT}": Operation(
        id="change_visibility",
        reader=Reader.ADMINISTRATOR,
        summary="Make a project public or private",
        text="Owners do. What is public can be read by everybody, its statements included.",
        body=Body(VisibilityIn, {"is_public": True}),
        answers=(Answer(200, "The project as it is now.", ProjectDocument),),
        refusals=(*BODY, *OF_PROJECT, PublicSigningUnderWay),
    ),
    f"GET {_PROJECT}/policy": Operation(
        id="show_policy",
        reader=Reader.ADMINISTRATOR,
        summary="The verification policy that holds",
        answers=(Answer(200, "The policy.", _POLICY),),
        refusals=OF_PROJECT,
    ),
    f"PUT {_PROJECT}/policy": Operation(
        id="change_policy",
        reader=Reader.ADMINISTRATOR,
        summary="Change the verification policy",
        text="What is not named stays. With `version` only the policy of that version is changed.",
        body=Body(PolicyIn, {"enforcement": "enforce", "version": 3}),
        answers=(Answer(200, "The policy that holds now.", _POLICY),),
        refusals=(*BODY, *OF_PROJECT, PolicyChanged),
    ),
    f"GET {_PROJECT}/refs": Operation(
        id="list_allowed_refs",
        reader=Reader.ADMINISTRATOR,
        summary="The refs that count for the latest without their platform's protection",
        asker=Asker.READER,
        answers=(Answer(200, "The refs.", _ALLOWED_REFS),),
        refusals=READ_PROJECT,
    ),
    f"PUT {_PROJECT}/refs": Operation(
        id="set_allowed_refs",
        reader=Reader.ADMINISTRATOR,
        summary="Let these refs count for the latest, and no others",
        body=Body(AllowedRefsIn, {"allowed_refs": ["refs/heads/main"]}),
        answers=(Answer(200, "The refs that count now.", _ALLOWED_REFS),),
        refusals=(*BODY, *OF_PROJECT, RefNotNameable),
    ),
    f"GET {_PROJECT}/downloads": Operation(
        id="list_downloads",
        reader=Reader.ADMINISTRATOR,
        summary="Who was given what: the download log, newest first",
        text="`sha256` answers who was given these bytes.",
        parameters=(CURSOR, *(_DOWNLOADS[name] for name in FILTERS)),
        answers=(
            Answer(
                200, "One page of at most 200.", {"downloads": [DownloadLine]}, may_have=("Link",)
            ),
        ),
        refusals=(*OF_PROJECT, MalformedRequest, MalformedDigest),
    ),
}
