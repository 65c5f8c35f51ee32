"""OpenID Connect through django-allauth: where to send a browser, and what came back with it.

allauth keeps the state and exchanges the code. What it would take on trust is checked here: the
ID token's signature, its issuer and audience, and the nonce. Its own accounts are never asked.
"""

import secrets
from collections.abc import Mapping
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

import jwt
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from requests import RequestException

from access.adapters.client_secrets import client_secret
from access.domain.oidc_people import OidcProvider, Proven, read_person
from access.errors import OidcLoginFailed

ALGORITHMS: Final = ("RS256", "ES256", "PS256", "EdDSA")
LEEWAY_SECONDS: Final = 60
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class OidcLogin:
    """An `access.ports.OtherLogin`: the provider that the operator named."""

    def __init__(self, provider: OidcProvider) -> None:
        self.provider = provider

    def begin(self, request: HttpRequest, *, next_path: str) -> str:
        protocol = _Protocol(request)
        nonce = secrets.token_urlsafe(32)
        try:
            answer = protocol.get_provider().redirect(
                request,
                AuthProcess.LOGIN,
                next_url=next_path,
                auth_params={"nonce": nonce},
                nonce=nonce,
            )
        except (OAuth2Error, RequestException) as error:
            raise OidcLoginFailed(reason=_reason(error)) from error
        return str(answer["Location"])

    def finish(self, request: HttpRequest) -> Proven:
        view = _Callback()
        view.request, view.adapter = request, _Protocol(request)
        try:
            view.dispatch(request)
        except _Came as came:
            return came.proven
        raise AssertionError("the protocol ends with a proof or a refusal")


class Accounts(DefaultSocialAccountAdapter):  # type: ignore[misc] # allauth has no types
    """allauth's hooks: the one provider comes from the settings, and every error is a refusal."""

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> "_Provider":
        """The provider of the settings, and none from the database.

        Raises:
            SocialApp.DoesNotExist: there is none.
        """
        del provider, client_id
        named: OidcProvider | None = settings.LOGIN_OIDC
        if named is None:
            raise SocialApp.DoesNotExist
        app = SocialApp(
            provider=OpenIDConnectProvider.id,
            provider_id=named.issuer,
            name=named.name,
            client_id=named.client_id,
            secret=client_secret(named),
            settings={"server_url": named.issuer, "oauth_pkce_enabled": True},
        )
        return _Provider(request, app=app)

    def on_authentication_error(
        self,
        _request: HttpRequest,
        _provider: object,
        error: object = None,
        exception: Exception | None = None,
        extra_context: Mapping[str, Any] | None = None,
    ) -> NoReturn:
        """The provider or the state said no."""
        reason = _reason(exception) if exception is not None else str(error)
        if "state_id" in (extra_context or {}):
            reason = "another login's state"
        raise OidcLoginFailed(reason=reason) from exception


class _Came(Exception):
    def __init__(self, proven: Proven) -> None:
        self.proven = proven


class _Protocol(OpenIDConnectOAuth2Adapter):  # type: ignore[misc] # as above
    """allauth's protocol with the checks that it leaves out."""

    state: dict[str, Any]

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, OpenIDConnectProvider.id)

    @property
    def openid_config(self) -> dict[str, Any]:
        """The provider's description of itself; OpenID Connect Discovery 1.0, 4.3."""
        found: dict[str, Any] = super().openid_config
        issuer = self.get_provider().app.provider_id
        if found.get("issuer") != issuer:
            raise OAuth2Error("the provider describes another issuer")
        for name in _ENDPOINTS:
            if urlsplit(str(found.get(name))).scheme != urlsplit(issuer).scheme:
                raise OAuth2Error(f"the provider has no usable {name}")
        return found

    def get_callback_url(self, _request: HttpRequest, _app: SocialApp) -> str:
        return settings.PUBLIC_URL + reverse("login_oidc_callback")

    def complete_login(
        self,
        _request: HttpRequest,
        app: SocialApp,
        _token: SocialToken,
        *,
        response: Mapping[str, Any],
    ) -> SocialLogin:
        """End allauth's part: what was proven goes to a use case of ours."""
        person = read_person(
            self._verified(str(response.get("id_token", ""))),
            issuer=app.provider_id,
            client_id=app.client_id,
            nonce=str(self.state.get("nonce", "")),
        )
        raise _Came(Proven(person, str(self.state.get("next") or "")))

    def _verified(self, id_token: str) -> dict[str, Any]:
        """The claims of a token that a key of the provider has signed, and that is not over."""
        try:
            key_id = jwt.get_unverified_header(id_token).get("kid")
            keys = jwt.PyJWKSet.from_dict(self._key_set()).keys
            fitting = [key for key in keys if key_id in (None, key.key_id)]
            if len(fitting) != 1:
                raise OidcLoginFailed(reason="no key of the provider fits the token")
            claims: dict[str, Any] = jwt.decode(
                id_token,
                fitting[0],
                algorithms=list(ALGORITHMS),
                leeway=LEEWAY_SECONDS,
                # Issuer, audience and nonce are compared in the domain, from these claims.
                options={"require": ["exp", "iat"], "verify_aud": False},
            )
        except jwt.PyJWTError as error:
            raise OidcLoginFailed(reason=type(error).__name__) from error
        return claims

    def _key_set(self) -> dict[str, Any]:
        with Accounts().get_requests_session() as session:
            response = session.get(self.openid_config["jwks_uri"])
            response.raise_for_status()
            found: dict[str, Any] = response.json()
        return found


class _Provider(OpenIDConnectProvider):  # type: ignore[misc] # as above
    """The provider, spoken to by the protocol above."""

    def get_oauth2_adapter(self, request: HttpRequest) -> _Protocol:
        return _Protocol(request)


class _Callback(OAuth2CallbackView):  # type: ignore[misc] # as above
    """Gives the protocol the state of this browser's login, with its nonce."""

    def _get_state(
        self, request: HttpRequest, provider: OpenIDConnectProvider
    ) -> tuple[dict[str, Any] | None, HttpResponseBase | None]:
        state, answer = super()._get_state(request, provider)
        self.adapter.state = state or {}
        return state, answer


def _reason(error: Exception) -> str:
    """What may be shown: the provider's own words could be anything."""
    if isinstance(error, RequestException):
        return "the provider cannot be reached"
    return str(error)[:200] if isinstance(error, OAuth2Error) else type(error).__name__
