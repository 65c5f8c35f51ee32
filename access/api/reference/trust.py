"""Issuers and trusted publishers, as the API reference describes them."""

from typing import Final

from access.api.serializers import (
    IssuerChange,
    IssuerIn,
    IssuerOut,
    PublisherIn,
    PublisherOut,
)
from access.errors import (
    IssuerNotAllowed,
    IssuerNotFound,
    IssuerTaken,
    PublisherNotAllowed,
    PublisherNotFound,
)
from artifacts.errors import ProjectNotFound
from kernel.actor import PermissionMissing, Unauthenticated
from kernel.reference import BODY, Answer, Body, Operation, Operations, Reader
from kernel.rest import UnsupportedMediaType
from kernel.shapes import ID_EXAMPLE, Count

_ISSUER: Final = {
    "name": "github",
    "url": "https://token.actions.githubusercontent.com",
    "platform": "github",
    "is_development": False,
    "algorithms": ["RS256"],
    "longest_life_seconds": 3600,
    "allows_private_addresses": False,
    "created_at": "2026-11-21T08:00:00Z",
    "disabled_at": None,
}
_PUBLISHER: Final = {
    "id": ID_EXAMPLE,
    "project": "acme/widget",
    "issuer": "github",
    "issuer_url": "https://token.actions.githubusercontent.com",
    "repository_id": "4242",
    "owner_id": "77",
    "workflow_path": ".github/workflows/release.yml",
    "subject": "",
    "reusable_workflow": "",
    "ref": "",
    "environment": "",
    "requires_protected_ref": False,
    "events": [],
    "repository": "",
    "pending_until": None,
    "pinned_at": "2026-11-21T08:00:00Z",
    "last_used_at": None,
    "created_at": "2026-11-21T08:00:00Z",
    "created_by": "dora",
}
_ISSUERS: Final = "/api/v1/issuers"
_PUBLISHERS: Final = "/api/v1/projects/{organization}/{project}/publishers"
_NEED_A_RIGHT: Final = (Unauthenticated, PermissionMissing)
_OF_PROJECT: Final = (ProjectNotFound, *_NEED_A_RIGHT)


def _switched(verb: str, text: str, **example: str) -> Operation:
    return Operation(
        id=f"{verb}_issuer",
        reader=Reader.ADMINISTRATOR,
        summary=text,
        answers=(Answer(200, "The issuer as it is now.", IssuerOut, {**_ISSUER, **example}),),
        refusals=(*_NEED_A_RIGHT, IssuerNotFound),
    )


OPERATIONS: Final[Operations] = {
    f"GET {_ISSUERS}": Operation(
        id="list_issuers",
        reader=Reader.ADMINISTRATOR,
        summary="The issuers whose identity tokens are accepted",
        answers=(Answer(200, "All of them.", {"issuers": [IssuerOut]}, {"issuers": [_ISSUER]}),),
        refusals=_NEED_A_RIGHT,
    ),
    f"POST {_ISSUERS}": Operation(
        id="add_issuer",
        reader=Reader.ADMINISTRATOR,
        summary="Accept identity tokens of an issuer",
        text="By `preset` alone (`github.com`, `gitlab.com`), or whole. Name and URL are given "
        "once and for ever.",
        body=Body(({"preset": str}, IssuerIn), {"preset": "github.com"}),
        answers=(Answer(201, "It is there.", IssuerOut, _ISSUER),),
        refusals=(*BODY, UnsupportedMediaType, *_NEED_A_RIGHT, IssuerNotAllowed, IssuerTaken),
    ),
    f"GET {_ISSUERS}/{{name}}": Operation(
        id="show_issuer",
        reader=Reader.ADMINISTRATOR,
        summary="An issuer",
        answers=(Answer(200, "The issuer.", IssuerOut, _ISSUER),),
        refusals=(*_NEED_A_RIGHT, IssuerNotFound),
    ),
    f"PATCH {_ISSUERS}/{{name}}": Operation(
        id="change_issuer",
        reader=Reader.ADMINISTRATOR,
        summary="Change an issuer's limits",
        text="What is not named stays.",
        body=Body(IssuerChange, {"longest_life_seconds": 1800}),
        answers=(
            Answer(
                200,
                "The issuer as it is now.",
                IssuerOut,
                {**_ISSUER, "longest_life_seconds": 1800},
            ),
        ),
        refusals=(*BODY, UnsupportedMediaType, *_NEED_A_RIGHT, IssuerNotAllowed, IssuerNotFound),
    ),
    f"POST {_ISSUERS}/{{name}}/disable": _switched(
        "disable",
        "Exchange no more tokens of an issuer",
        disabled_at="2026-11-21T09:00:00Z",
    ),
    f"POST {_ISSUERS}/{{name}}/enable": _switched("enable", "Accept an issuer's tokens again"),
    f"GET {_PUBLISHERS}": Operation(
        id="list_publishers",
        reader=Reader.ADMINISTRATOR,
        summary="The CI identities that may upload to a project",
        answers=(
            Answer(
                200, "All of them.", {"publishers": [PublisherOut]}, {"publishers": [_PUBLISHER]}
            ),
        ),
        refusals=_OF_PROJECT,
    ),
    f"POST {_PUBLISHERS}": Operation(
        id="add_publisher",
        reader=Reader.ADMINISTRATOR,
        summary="Trust a CI identity",
        text="`wait_seconds` is how long it may wait for a first token that tells the ids, where "
        "only `repository` is given.",
        body=Body(
            PublisherIn,
            {
                "issuer": "github",
                "repository_id": "4242",
                "owner_id": "77",
                "workflow_path": ".github/workflows/release.yml",
            },
        ),
        answers=(Answer(201, "It is trusted.", PublisherOut, _PUBLISHER),),
        refusals=(
            *BODY,
            UnsupportedMediaType,
            *_OF_PROJECT,
            IssuerNotFound,
            PublisherNotAllowed,
        ),
    ),
    f"GET {_PUBLISHERS}/{{publisher_id}}": Operation(
        id="show_publisher",
        reader=Reader.ADMINISTRATOR,
        summary="A trusted publisher",
        answers=(Answer(200, "The publisher.", PublisherOut, _PUBLISHER),),
        refusals=(*_OF_PROJECT, PublisherNotFound),
    ),
    f"DELETE {_PUBLISHERS}/{{publisher_id}}": Operation(
        id="remove_publisher",
        reader=Reader.ADMINISTRATOR,
        summary="End a publisher's uploads; what it uploaded goes on counting",
        answers=(Answer(204, "It is gone."),),
        refusals=(*_OF_PROJECT, PublisherNotFound),
    ),
    f"POST {_PUBLISHERS}/{{publisher_id}}/distrust": Operation(
        id="distrust_publisher",
        reader=Reader.ADMINISTRATOR,
        summary="Distrust a publisher's source: what it uploaded stops counting",
        text="Removes every publisher of the same source. Downloads answer by it from then on.",
        answers=(Answer(200, "So many publishers were removed.", {"removed_publishers": Count}),),
        refusals=(*_OF_PROJECT, PublisherNotFound),
    ),
}
