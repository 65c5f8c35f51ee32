"""Trusted publishing, as the API reference describes it."""

from typing import Annotated, Final

from access.api.serializers import ExchangeIn, PreflightIn
from access.domain.tokens import UPLOAD_LIFE
from access.errors import (
    AlgorithmNotAllowed,
    AmbiguousPublisher,
    ClaimInvalid,
    ClaimMissing,
    EventNotAllowed,
    ForkNotAllowed,
    IdentityTokenExpired,
    IdentityTokenLivesTooLong,
    IdentityTokenMalformed,
    IdentityTokenNotYetValid,
    IssuerDisabled,
    IssuerUnavailable,
    NoMatchingPublisher,
    PublisherMismatch,
    SignatureInvalid,
    TokenIdMissing,
    TokenIdReused,
    UnknownIssuer,
    UnknownKey,
    WrongAudience,
)
from kernel.reference import BODY, Answer, Asker, Body, Operation, Operations, Reader
from kernel.rest import UnsupportedMediaType
from kernel.shapes import STORE, Id, ProjectName, Says, Url
from provenance.domain.builders import Level
from provenance.domain.policy import Enforcement
from provenance.domain.transparency import Transparency

_IDENTITY_TOKEN: Final = "eyJhbGciOiJSUzI1NiIs…"  # noqa: S105 - an example, and none at that
_ENDS: Final = Annotated[
    int, Says(description="When it expires: seconds since 1970.", examples=[1795248900])
]
_REFUSALS: Final = (
    *BODY,
    UnsupportedMediaType,
    AlgorithmNotAllowed,
    AmbiguousPublisher,
    ClaimInvalid,
    ClaimMissing,
    EventNotAllowed,
    ForkNotAllowed,
    IdentityTokenExpired,
    IdentityTokenLivesTooLong,
    IdentityTokenMalformed,
    IdentityTokenNotYetValid,
    IssuerDisabled,
    IssuerUnavailable,
    NoMatchingPublisher,
    PublisherMismatch,
    SignatureInvalid,
    TokenIdMissing,
    TokenIdReused,
    UnknownIssuer,
    UnknownKey,
    WrongAudience,
)

OPERATIONS: Final[Operations] = {
    "GET /_/oidc/audience": Operation(
        id="show_audience",
        reader=Reader.JOB,
        summary="The audience that an identity token must be made for",
        asker=Asker.ANYBODY,
        answers=(Answer(200, "This store, and nobody else.", {"audience": Url}),),
    ),
    "POST /_/oidc/mint-token": Operation(
        id="mint_token",
        reader=Reader.JOB,
        summary="Exchange an identity token for an upload token",
        text="The identity token is the credential, and is used up. The upload token holds for "
        f"{int(UPLOAD_LIFE.total_seconds())} seconds. `secret_sha256` announces a secret of the "
        "job's own; with `secret` the same job renews its token later.",
        asker=Asker.ANYBODY,
        body=Body(ExchangeIn, {"token": _IDENTITY_TOKEN, "project": "acme/widget"}),
        answers=(
            Answer(
                200,
                "The upload token. The secret is shown here and nowhere else.",
                {
                    "success": bool,
                    "token": Annotated[str, Says(examples=["sru_…"])],
                    "expires": _ENDS,
                    "project": ProjectName,
                },
                headers=("Cache-Control",),
            ),
        ),
        refusals=_REFUSALS,
    ),
    "POST /_/oidc/preflight": Operation(
        id="check_exchange",
        reader=Reader.JOB,
        summary="What an exchange would give, and what would be claimed",
        text="The identity token is not used up, and nothing is recorded.",
        asker=Asker.ANYBODY,
        body=Body(PreflightIn, {"token": _IDENTITY_TOKEN}),
        answers=(
            Answer(
                200,
                "What would be recorded, claimed and made public.",
                {
                    "identity": Annotated[
                        dict[str, object],
                        Says(description="The verified facts of the job, by name."),
                    ],
                    "expires": _ENDS,
                    "project": ProjectName,
                    "publisher": Id,
                    "would_record_ids": bool,
                    "builder_id": Annotated[
                        str, Says(examples=[f"{STORE}/builders/github/hosted-unconfirmed/v1"])
                    ],
                    "level": Level,
                    "why_not_higher": [str],
                    "public": {
                        "files": bool,
                        "statements": bool,
                        "transparency": Transparency,
                        "why": [str],
                    },
                    "policy": {
                        "verdict": Annotated[str, Says(enum=["passed", "failed"])],
                        "reason": str,
                        "enforcement": Enforcement,
                    },
                },
                headers=("Cache-Control",),
            ),
        ),
        refusals=_REFUSALS,
    ),
}
