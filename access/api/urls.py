"""Access' addresses, whole: the assembly includes them at the root."""

from typing import Final

from django.urls import path

from access.api.audit import Audit, AuditExport, checkpoints
from access.api.exchange import Audience, MintToken, Preflight
from access.api.invitations import Accept, Invitations, OneInvitation
from access.api.issuers import DisabledIssuer, EnabledIssuer, Issuers, OneIssuer
from access.api.me import Login, Me, MyTokens, OneOfMyTokens
from access.api.members import Members, OneMember
from access.api.publishers import DistrustedPublisher, OnePublisher, Publishers
from access.api.tokens import OneToken, Tokens, WhoAmI

_ORGANIZATION: Final = "api/v1/organizations/<str:organization>"
_PROJECT: Final = "api/v1/projects/<str:organization>/<str:project>"
_PUBLISHERS: Final = f"{_PROJECT}/publishers"

urlpatterns = [
    path("_/oidc/audience", Audience.as_view()),
    path("_/oidc/mint-token", MintToken.as_view()),
    path("_/oidc/preflight", Preflight.as_view()),
    path("api/v1/whoami", WhoAmI.as_view()),
    path("api/v1/tokens", Tokens.as_view()),
    path("api/v1/tokens/<uuid:token_id>", OneToken.as_view()),
    path("api/v1/login", Login.as_view()),
    path("api/v1/me", Me.as_view()),
    path("api/v1/me/tokens", MyTokens.as_view()),
    path("api/v1/me/tokens/<uuid:token_id>", OneOfMyTokens.as_view()),
    path("api/v1/invitations", Invitations.as_view()),
    path("api/v1/invitations/accept", Accept.as_view()),
    path("api/v1/invitations/<uuid:invitation>", OneInvitation.as_view()),
    path(f"{_ORGANIZATION}/members", Members.as_view()),
    path(f"{_ORGANIZATION}/members/<str:member>", OneMember.as_view()),
    path(f"{_PROJECT}/members", Members.as_view()),
    path(f"{_PROJECT}/members/<str:member>", OneMember.as_view()),
    path("api/v1/audit", Audit.as_view()),
    path("api/v1/audit/export", AuditExport.as_view()),
    path("api/v1/audit/checkpoints", checkpoints),
    path("api/v1/issuers", Issuers.as_view()),
    path("api/v1/issuers/<str:name>", OneIssuer.as_view()),
    path("api/v1/issuers/<str:name>/disable", DisabledIssuer.as_view()),
    path("api/v1/issuers/<str:name>/enable", EnabledIssuer.as_view()),
    path(_PUBLISHERS, Publishers.as_view()),
    path(f"{_PUBLISHERS}/<uuid:publisher_id>", OnePublisher.as_view()),
    path(f"{_PUBLISHERS}/<uuid:publisher_id>/distrust", DistrustedPublisher.as_view()),
]
