"""Who asks, logging in and tokens, as the API reference describes them."""

from typing import Annotated, Final

from rest_framework import serializers

from access.api.me import LoginIn, PersonalTokenIn, PersonalTokenOut
from access.api.serializers import TokenIn, TokenOut
from access.domain.tokens import LOGIN_LIFE
from access.errors import (
    LoginFailed,
    PasswordIsOneTime,
    TokenNotAllowed,
    TokenNotFound,
    TooManyAttempts,
)
from artifacts.errors import ProjectNotFound
from kernel.actor import PermissionMissing, PersonNeeded, Unauthenticated
from kernel.reference import (
    BODY,
    Answer,
    Asker,
    Body,
    Operation,
    Operations,
    Reader,
)
from kernel.rest import UnsupportedMediaType
from kernel.shapes import ID_EXAMPLE, ProjectName, Says, Time


class CreatedTokenOut(TokenOut):
    """A token in the one answer that shows its secret."""

    token = serializers.CharField()


class CreatedPersonalTokenOut(PersonalTokenOut):
    """A personal token in the one answer that shows its secret."""

    token = serializers.CharField()


_TIMES: Final = {
    "created_at": "2026-11-21T08:00:00Z",
    "expires_at": "2027-02-19T08:00:00Z",
    "last_used_at": None,
    "revoked_at": None,
}
_TOKEN: Final = {
    "id": ID_EXAMPLE,
    "name": "nightly",
    "project": "acme/widget",
    "permissions": ["read", "upload"],
    "created_by": "dora",
    **_TIMES,
}
_PERSONAL: Final = {"id": ID_EXAMPLE, "name": "laptop", "permissions": ["read"], **_TIMES}
_REVOKED: Final = {"revoked_at": "2026-11-21T09:00:00Z"}
_SHOWN_ONCE: Final = "Made. The secret is shown here and nowhere else."
_ME: Final = {
    "actor": str,
    "grants": [
        {
            "permission": str,
            "project": Annotated[
                str | None, Says(description="A project's id; null stands for all of the instance.")
            ],
        }
    ],
    "job": Annotated[
        dict[str, object] | None,
        Says(description="The verified facts of the CI job, where one asks."),
    ],
}

OPERATIONS: Final[Operations] = {
    "GET /api/v1/whoami": Operation(
        id="show_asker",
        reader=Reader.JOB,
        summary="Who asks, and what they may do",
        answers=(Answer(200, "The actor.", _ME, headers=("Cache-Control",)),),
        refusals=(Unauthenticated,),
    ),
    "POST /api/v1/login": Operation(
        id="log_in",
        reader=Reader.ADMINISTRATOR,
        summary="Log in with name and password",
        text=f"Gives a personal token for {int(LOGIN_LIFE.total_seconds()) // 3600} hours.",
        asker=Asker.ANYBODY,
        body=Body(LoginIn, {"username": "dora", "password": "…"}),
        answers=(
            Answer(
                201,
                _SHOWN_ONCE,
                CreatedPersonalTokenOut,
                {**_PERSONAL, "token": "srp_…"},
                headers=("Cache-Control",),
            ),
        ),
        refusals=(*BODY, LoginFailed, PasswordIsOneTime, TooManyAttempts),
    ),
    "GET /api/v1/me": Operation(
        id="show_me",
        reader=Reader.ADMINISTRATOR,
        summary="The person who asks, and their roles",
        asker=Asker.PERSON,
        answers=(
            Answer(
                200,
                "The person.",
                {**_ME, "memberships": [{"place": ProjectName, "role": str, "since": Time}]},
                headers=("Cache-Control",),
            ),
        ),
        refusals=(Unauthenticated, PersonNeeded),
    ),
    "GET /api/v1/me/tokens": Operation(
        id="list_my_tokens",
        reader=Reader.ADMINISTRATOR,
        summary="One's own tokens, newest first",
        asker=Asker.PERSON,
        answers=(
            Answer(200, "All of them.", {"tokens": [PersonalTokenOut]}, {"tokens": [_PERSONAL]}),
        ),
        refusals=(Unauthenticated, PersonNeeded),
    ),
    "POST /api/v1/me/tokens": Operation(
        id="create_my_token",
        reader=Reader.ADMINISTRATOR,
        summary="Make a token for oneself",
        text="`expires_in` is in seconds.",
        asker=Asker.PERSON,
        body=Body(PersonalTokenIn, {"name": "laptop", "scope": "read", "expires_in": 7776000}),
        answers=(
            Answer(
                201,
                _SHOWN_ONCE,
                CreatedPersonalTokenOut,
                {**_PERSONAL, "token": "srp_…"},
                headers=("Cache-Control",),
            ),
        ),
        refusals=(*BODY, Unauthenticated, PersonNeeded, TokenNotAllowed),
    ),
    "DELETE /api/v1/me/tokens/{token_id}": Operation(
        id="revoke_my_token",
        reader=Reader.ADMINISTRATOR,
        summary="Revoke a token of one's own",
        asker=Asker.PERSON,
        answers=(Answer(200, "It is revoked.", PersonalTokenOut, {**_PERSONAL, **_REVOKED}),),
        refusals=(Unauthenticated, PersonNeeded, TokenNotFound),
    ),
    "GET /api/v1/tokens": Operation(
        id="list_tokens",
        reader=Reader.ADMINISTRATOR,
        summary="The services' tokens that the actor administers",
        answers=(Answer(200, "All of them.", {"tokens": [TokenOut]}, {"tokens": [_TOKEN]}),),
        refusals=(Unauthenticated, PermissionMissing),
    ),
    "POST /api/v1/tokens": Operation(
        id="create_token",
        reader=Reader.ADMINISTRATOR,
        summary="Make a token for a service",
        text="`expires_in` is in seconds. Without `project` it is one for the whole instance.",
        body=Body(
            TokenIn,
            {"name": "nightly", "project": "acme/widget", "permissions": ["read", "upload"]},
        ),
        answers=(
            Answer(
                201,
                _SHOWN_ONCE,
                CreatedTokenOut,
                {**_TOKEN, "token": "srt_…"},
                headers=("Cache-Control",),
            ),
        ),
        refusals=(
            *BODY,
            UnsupportedMediaType,
            Unauthenticated,
            PermissionMissing,
            ProjectNotFound,
            TokenNotAllowed,
        ),
    ),
    "DELETE /api/v1/tokens/{token_id}": Operation(
        id="revoke_token",
        reader=Reader.ADMINISTRATOR,
        summary="Revoke a service's token",
        answers=(Answer(200, "It is revoked.", TokenOut, {**_TOKEN, **_REVOKED}),),
        refusals=(TokenNotFound,),
    ),
}
