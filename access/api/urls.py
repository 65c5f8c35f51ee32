"""Access' addresses, whole: the assembly includes them at the root."""

from typing import Final

from django.urls import path

from access.api.exchange import Audience, MintToken, Preflight
from access.api.issuers import DisabledIssuer, EnabledIssuer, Issuers, OneIssuer
from access.api.publishers import DistrustedPublisher, OnePublisher, Publishers
from access.api.tokens import OneToken, Tokens, WhoAmI

_PUBLISHERS: Final = "api/v1/projects/<str:organization>/<str:project>/publishers"

urlpatterns = [
    path("_/oidc/audience", Audience.as_view()),
    path("_/oidc/mint-token", MintToken.as_view()),
    path("_/oidc/preflight", Preflight.as_view()),
    path("api/v1/whoami", WhoAmI.as_view()),
    path("api/v1/tokens", Tokens.as_view()),
    path("api/v1/tokens/<uuid:token_id>", OneToken.as_view()),
    path("api/v1/issuers", Issuers.as_view()),
    path("api/v1/issuers/<str:name>", OneIssuer.as_view()),
    path("api/v1/issuers/<str:name>/disable", DisabledIssuer.as_view()),
    path("api/v1/issuers/<str:name>/enable", EnabledIssuer.as_view()),
    path(_PUBLISHERS, Publishers.as_view()),
    path(f"{_PUBLISHERS}/<uuid:publisher_id>", OnePublisher.as_view()),
    path(f"{_PUBLISHERS}/<uuid:publisher_id>/distrust", DistrustedPublisher.as_view()),
]
