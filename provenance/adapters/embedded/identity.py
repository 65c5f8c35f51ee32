"""Identity tokens of the attestor: minted for each statement, believed only by its own CA.

The real sigstore signer asks for an OpenID Connect token, so it gets one. What the certificate
shall say travels in a claim of our own name: nothing that a CI platform calls its claims can
reach the certificate by being copied.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from provenance.errors import SignerRefused

AUDIENCE: Final = "sigstore"
LIFETIME: Final = timedelta(seconds=60)
EXTENSIONS_CLAIM: Final = "strongroom_fulcio_extensions"
# Certificate extensions below 10 name the issuer and the identity: never a job's to choose.
FIRST_FREE_EXTENSION: Final = 10


@dataclass(frozen=True, slots=True)
class Certifiable:
    """What a verified token lets the CA put into a certificate."""

    issuer: str
    identity: str
    extensions: Mapping[int, str]


class IdentityIssuer:
    """Mints and verifies tokens under an ephemeral ES256 key that never leaves this object."""

    def __init__(self, *, issuer: str) -> None:
        self._issuer = issuer
        self._key = ec.generate_private_key(ec.SECP256R1())

    def mint(self, *, identity: str, extensions: Mapping[int, str], now: datetime) -> str:
        """A token of at most a minute for one certificate.

        Raises:
            SignerRefused: an extension that the identity or the issuer owns was asked for.
        """
        reserved = sorted(suffix for suffix in extensions if suffix < FIRST_FREE_EXTENSION)
        if reserved:
            raise SignerRefused(reason="reserved-extension", found=reserved)
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": identity,
            "iat": now,
            "nbf": now,
            "exp": now + LIFETIME,
            EXTENSIONS_CLAIM: {str(suffix): text for suffix, text in extensions.items() if text},
        }
        return jwt.encode(claims, self._key, algorithm="ES256")

    def verify(self, unverified_token: str) -> Certifiable:
        """Believe a token that this object minted less than a minute ago, and no other.

        Raises:
            SignerRefused: the token is another's, expired, or for another audience.
        """
        try:
            claims = jwt.decode(
                unverified_token,
                self._key.public_key(),
                algorithms=["ES256"],
                audience=AUDIENCE,
                issuer=self._issuer,
                options={"require": ["iss", "aud", "sub", "iat", "nbf", "exp", EXTENSIONS_CLAIM]},
            )
        except jwt.InvalidTokenError as error:
            raise SignerRefused(reason="identity-token", found=str(error)) from error
        extensions = {int(suffix): text for suffix, text in claims[EXTENSIONS_CLAIM].items()}
        return Certifiable(claims["iss"], claims["sub"], extensions)
