"""Access' addresses, whole: the assembly includes them at the root."""

from django.urls import path

from access.api.exchange import Audience, MintToken, Preflight
from access.api.issuers import Issuers
from access.api.publishers import Publishers
from access.api.tokens import OneToken, Tokens, WhoAmI

urlpatterns = [
    path("_/oidc/audience", Audience.as_view()),
    path("_/oidc/mint-token", MintToken.as_view()),
    path("_/oidc/preflight", Preflight.as_view()),
    path("api/v1/whoami", WhoAmI.as_view()),
    path("api/v1/tokens", Tokens.as_view()),
    path("api/v1/tokens/<uuid:token_id>", OneToken.as_view()),
    path("api/v1/issuers", Issuers.as_view()),
    path("api/v1/projects/<str:organization>/<str:project>/publishers", Publishers.as_view()),
]
