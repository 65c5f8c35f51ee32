"""The store as an OpenID Connect issuer: what its attestor's tokens say, and where their key is.

A Sigstore CA asks the issuer of a token for its keys (OpenID Connect Discovery 1.0), and puts
into the certificate what its template takes from the token (deploy/fulcio.yaml). Every claim of
ours has our own prefix: nothing that a CI platform calls its claims can get there by being copied.
"""

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from provenance.errors import SignerRefused

AUDIENCE: Final = "sigstore"
LIFETIME: Final = timedelta(seconds=60)
ALGORITHM: Final = "ES256"
IDENTITY_CLAIM: Final = "strongroom_identity"
# By Fulcio's extension number under 1.3.6.1.4.1.57264.1. What is below belongs to the issuer and
# the identity; .24 is always the token's own subject.
CLAIMS: Final[Mapping[int, str]] = {
    11: "strongroom_runner_environment",
    12: "strongroom_source_repository_uri",
    13: "strongroom_source_repository_digest",
    14: "strongroom_source_repository_ref",
    15: "strongroom_source_repository_id",
    16: "strongroom_source_repository_owner_uri",
    17: "strongroom_source_repository_owner_id",
    18: "strongroom_build_config_uri",
    19: "strongroom_build_config_digest",
    20: "strongroom_build_trigger",
    21: "strongroom_run_invocation_uri",
    22: "strongroom_source_repository_visibility",
    23: "strongroom_deployment_environment",
}
SUBJECT: Final = 24
_COORDINATE_BYTES: Final = 32


def token_claims(
    *, issuer: str, identity: str, extensions: Mapping[int, str], now: datetime
) -> dict[str, Any]:
    """What a token of a minute says so that the certificate says what was asked.

    Every claim is there, empty where there is nothing to say: the template fails without it, and
    leaves an empty one out of the certificate.

    Raises:
        SignerRefused: the identity is not plain ASCII, or an extension is not ours to set.
    """
    if not identity.isascii() or not identity.isprintable():
        raise SignerRefused(reason="identity-not-a-uri", found=identity)
    foreign = sorted(set(extensions) - set(CLAIMS) - {SUBJECT})
    if foreign:
        raise SignerRefused(reason="reserved-extension", found=foreign)
    return {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": extensions.get(SUBJECT) or identity,
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME,
        IDENTITY_CLAIM: identity,
        **{claim: extensions.get(number, "") for number, claim in CLAIMS.items()},
    }


def certified(claims: Mapping[str, Any]) -> dict[int, str]:
    """The extensions that the template (deploy/fulcio.yaml) and Fulcio itself make of a token.

    Those of the issuer and the identity are not among them.
    """
    texts = {number: str(claims[claim]) for number, claim in CLAIMS.items()}
    return {number: text for number, text in texts.items() if text} | {SUBJECT: claims["sub"]}


def discovery_document(*, issuer: str) -> dict[str, Any]:
    """What the issuer says of itself: where its keys are, and that it hands out no token."""
    return {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks.json",
        # Required members (Discovery 1.0, section 3) that nobody can use here.
        "authorization_endpoint": f"{issuer}/.well-known/no-authorization-endpoint",
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [ALGORITHM],
    }


def key_set(*spkis: bytes) -> dict[str, Any]:
    """The JSON Web Key Set of P-256 keys, given as DER SubjectPublicKeyInfo (RFC 7517)."""
    return {"keys": [_key(spki) for spki in spkis]}


def key_id(spki: bytes) -> str:
    """A name that differs with the key, so that a new key is fetched at once."""
    return _base64url(hashlib.sha256(spki).digest())


def _key(spki: bytes) -> dict[str, str]:
    # An uncompressed point ends the encoding: 0x04, then both coordinates (RFC 5480).
    x, y = spki[-2 * _COORDINATE_BYTES : -_COORDINATE_BYTES], spki[-_COORDINATE_BYTES:]
    key = {"kty": "EC", "crv": "P-256", "x": _base64url(x), "y": _base64url(y)}
    return {**key, "kid": key_id(spki), "use": "sig", "alg": ALGORITHM}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
