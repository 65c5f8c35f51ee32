"""What access needs from outside."""

from typing import Protocol

from access.domain.identity_token import PublicKey
from access.domain.issuers import IssuerAddress


class KeySource(Protocol):
    """The signing keys that issuers publish."""

    def key(self, issuer: IssuerAddress, *, key_id: str, algorithm: str) -> PublicKey:
        """The issuer's key of this id, for this algorithm; never another issuer's.

        Raises:
            UnknownKey: the issuer publishes no such key, as far as was asked lately.
            IssuerUnavailable: what it publishes cannot be had now, or cannot be trusted.
        """
        ...
