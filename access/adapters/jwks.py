"""Read a JSON Web Key Set: the RS256 and ES256 signing keys in it, and nothing else (RFC 7517)."""

import re
from collections.abc import Mapping
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from access.domain.identity_token import PublicKey, is_text

# RFC 7518 section 3.3: a key of 2048 bits or larger.
SMALLEST_RSA_BITS: Final = 2048
# Above, one verification costs so much that asking for many is an attack.
LARGEST_RSA_BITS: Final = 8192
MOST_KEYS: Final = 100
# What the library reads of a key. Its decoder passes over characters that are no base64url.
_MEMBERS: Final = {"RSA": ("n", "e"), "EC": ("x", "y")}
_NUMBER: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{LARGEST_RSA_BITS // 4}}}={{0,2}}")

Keys = Mapping[tuple[str, str], PublicKey]


def parse_keys(document: object) -> Keys:
    """The usable keys by (id, algorithm); the first of two with one id counts.

    Keys of other types, uses or sizes are passed over, as RFC 7517 section 5 asks: an issuer may
    publish what it needs for others.

    Raises:
        ValueError: this is no key set.
    """
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > MOST_KEYS:
        raise ValueError("no key set")
    found: dict[tuple[str, str], PublicKey] = {}
    for entry in listed:
        key = _key(entry) if isinstance(entry, dict) else None
        if key is not None:
            found.setdefault((key.key_id, key.algorithm), key)
    return found


def _key(entry: Mapping[str, object]) -> PublicKey | None:
    key_id = entry.get("kid")
    if not is_text(key_id) or entry.get("use", "sig") != "sig" or "d" in entry:
        return None
    public = _public(entry)
    if isinstance(public, RSAPublicKey):
        algorithm = "RS256"
        is_usable = SMALLEST_RSA_BITS <= public.key_size <= LARGEST_RSA_BITS
    elif isinstance(public, EllipticCurvePublicKey):
        algorithm = "ES256"
        is_usable = isinstance(public.curve, SECP256R1)
    else:
        return None
    if not is_usable or entry.get("alg", algorithm) != algorithm:
        return None
    return PublicKey(key_id=str(key_id), algorithm=algorithm, public=public)


def _public(entry: Mapping[str, object]) -> object:
    """The key of an entry, whatever it is; None when it is of no type that we read."""
    kind, curve = entry.get("kty"), entry.get("crv", "")
    if not isinstance(kind, str) or not isinstance(curve, str):
        return None
    numbers = {name: entry.get(name) for name in _MEMBERS.get(kind, ())}
    if not all(isinstance(text, str) and _NUMBER.fullmatch(text) for text in numbers.values()):
        return None
    try:
        match kind:
            case "RSA":
                return jwt.algorithms.RSAAlgorithm.from_jwk({"kty": kind, **numbers})
            case "EC":
                return jwt.algorithms.ECAlgorithm.from_jwk({"kty": kind, "crv": curve, **numbers})
            case _:
                return None
    except (jwt.PyJWTError, ValueError):
        return None
