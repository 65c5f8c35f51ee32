"""What access needs from outside."""

from typing import Protocol

from django.http import HttpRequest

from access.domain.identity_token import PublicKey
from access.domain.issuers import IssuerAddress
from access.domain.oidc_people import OidcProvider, Proven


class KeySource(Protocol):
    """The signing keys that issuers publish."""

    def key(self, issuer: IssuerAddress, *, key_id: str, algorithm: str) -> PublicKey:
        """The issuer's key of this id, for this algorithm; never another issuer's.

        Raises:
            UnknownKey: the issuer publishes no such key, as far as was asked lately.
            IssuerUnavailable: what it publishes cannot be had now, or cannot be trusted.
        """
        ...


class OtherLogin(Protocol):
    """A provider that people log in with in their browser."""

    provider: OidcProvider

    def begin(self, request: HttpRequest, *, next_path: str) -> str:
        """Where to send this browser; what it has to come back with is kept in its session.

        Raises:
            OidcLoginFailed: the provider cannot be asked, or describes itself as another one.
            OidcLoginUnavailable: this store lacks what to ask it with.
        """
        ...

    def finish(self, request: HttpRequest) -> Proven:
        """Who came back with this request.

        Raises:
            OidcLoginFailed: nothing that came proves it, and `reason` says what is missing.
            OidcLoginUnavailable: as above.
        """
        ...
