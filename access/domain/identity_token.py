"""Identity tokens of CI platforms (JWT): read without trust, then verified (RFC 7519, RFC 8725).

Keys come from the issuer's row alone. Whatever else a header brings (`jwk`, `jku`, `x5u`, `x5c`)
is not read, so that it cannot matter.
"""

import binascii
import hashlib
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from access.errors import (
    AlgorithmNotAllowed,
    ClaimInvalid,
    ClaimMissing,
    IdentityTokenExpired,
    IdentityTokenLivesTooLong,
    IdentityTokenMalformed,
    IdentityTokenNotYetValid,
    SignatureInvalid,
    TokenIdMissing,
    WrongAudience,
)

ALGORITHMS: Final = ("RS256", "ES256")
# Real ones have 1 to 3 KiB; a limit bounds the work that a stranger can ask for.
LONGEST_TOKEN: Final = 16 * 1024
LONGEST_TEXT: Final = 500
# Clocks of two well-kept machines differ by seconds.
LEEWAY: Final = timedelta(seconds=30)
# CI platforms give minutes, at most the job's time limit. An hour bounds what a leaked token is
# worth and how long its `jti` has to be remembered.
LONGEST_LIFE: Final = timedelta(hours=1)
# Public clients hand tokens for this audience around; accepting one would be accepting those.
_SHARED_AUDIENCE: Final = "sigstore"
_FAR_FUTURE: Final = 2**36  # the year 4147, which every type that a time passes through can hold
_SEGMENT: Final = re.compile(r"[A-Za-z0-9_-]+")
# Real ones have lists of objects. Deeper ones could exhaust the stack of whoever reads them next,
# at a depth that depends on where that one stands.
_DEEPEST: Final = 8


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A signing key of one issuer, bound to the one algorithm that it may be used with."""

    key_id: str
    algorithm: str
    public: RSAPublicKey | EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """What a token says about itself. Good for finding the key, for nothing else."""

    unverified_issuer: str
    unverified_key_id: str
    unverified_algorithm: str
    unverified_claims: Mapping[str, object] = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """The claims that the issuer signed for this store and this hour. Only `verify` makes one."""

    issuer: str
    token_id_sha256: str
    expires_at: datetime
    claims: Mapping[str, object] = field(repr=False)


def parse_unverified(text: str) -> UnverifiedToken:
    """Take a token apart without believing it.

    Raises:
        IdentityTokenMalformed: it is no compact JWS of a JSON object, or asks for an extension.
        AlgorithmNotAllowed: it names another algorithm than the two that we accept.
        ClaimMissing, ClaimInvalid: it does not say whose it is.
    """
    if len(text) > LONGEST_TOKEN:
        raise IdentityTokenMalformed(reason="too long", limit_bytes=LONGEST_TOKEN)
    segments = text.split(".")
    if len(segments) != 3:  # noqa: PLR2004 - RFC 7515 section 7.1: header, payload, signature
        raise IdentityTokenMalformed(reason="not three segments")
    header = _object(segments[0], "header")
    # First of all: the signature of a token with `alg` none is empty, not malformed.
    algorithm = header.get("alg")
    if algorithm not in ALGORITHMS:
        raise AlgorithmNotAllowed(found=shown(algorithm), allowed=ALGORITHMS)
    claims = _object(segments[1], "claims")
    _decoded(segments[2], "signature")
    # RFC 7515 section 4.1.11: an extension that is not understood must be refused. We know none.
    for name in ("crit", "b64"):
        if name in header:
            raise IdentityTokenMalformed(reason=f"the header has {name!r}")
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise IdentityTokenMalformed(reason="typ is not JWT", found=shown(header["typ"]))
    key_id = header.get("kid")
    if not is_text(key_id):
        raise IdentityTokenMalformed(reason="the header has no usable kid")
    return UnverifiedToken(
        unverified_issuer=text_claim(claims, "iss"),
        unverified_key_id=str(key_id),
        unverified_algorithm=str(algorithm),
        unverified_claims=claims,
        text=text,
    )


def verify(
    unverified: UnverifiedToken,
    *,
    key: PublicKey,
    audience: str,
    now: datetime,
    longest_life: timedelta = LONGEST_LIFE,
) -> VerifiedToken:
    """Check signature, audience, times and token id, in this order.

    Raises:
        SignatureInvalid: the key did not sign these bytes.
        WrongAudience: `aud` is not exactly the one string that is this store.
        IdentityTokenExpired, IdentityTokenNotYetValid, IdentityTokenLivesTooLong: see LEEWAY.
        TokenIdMissing: there is no `jti`.
        ClaimMissing, ClaimInvalid: a time or the `jti` is not what it has to be.
    """
    _check_signature(unverified, key)
    claims = unverified.unverified_claims
    found = claims.get("aud")
    # RFC 7519 allows a list. A token for us and somebody else could be replayed to us by them.
    if not isinstance(found, str) or found != audience or found == _SHARED_AUDIENCE:
        raise WrongAudience(expected=audience, found=shown(found))
    expires = _check_times(claims, now=now, longest_life=longest_life)
    token_id = claims.get("jti")
    if token_id in (None, ""):
        raise TokenIdMissing
    digest = hashlib.sha256(text_claim(claims, "jti").encode()).hexdigest()
    return VerifiedToken(
        issuer=unverified.unverified_issuer,
        token_id_sha256=digest,
        expires_at=expires,
        claims=claims,
    )


def text_claim(claims: Mapping[str, object], name: str) -> str:
    """A claim that must be there and be plain text.

    Raises:
        ClaimMissing: it is not there.
        ClaimInvalid: it is no text, empty, too long, or has characters that cannot be printed.
    """
    if name not in claims:
        raise ClaimMissing(claim=name)
    value = claims[name]
    if not isinstance(value, str) or not is_text(value):
        expected = f"printable text of 1 to {LONGEST_TEXT} characters"
        raise ClaimInvalid(claim=name, expected=expected, found=shown(value))
    return value


def is_text(value: object) -> bool:
    """Whether this is plain text: no control, bidi or other invisible character, no surrogate."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and value.isprintable()


def shown(value: object) -> str:
    """What was found, in a form and length fit for a problem document."""
    return json.dumps(value)[:200] if not is_text(value) else str(value)[:200]


def _check_signature(unverified: UnverifiedToken, key: PublicKey) -> None:
    # The key knows its algorithm, so that the header cannot choose how the key is used
    # (RFC 8725 section 3.1): a public key never becomes an HMAC secret.
    if key.algorithm != unverified.unverified_algorithm:
        raise SignatureInvalid(key_id=key.key_id)
    try:
        jwt.api_jws.PyJWS(algorithms=ALGORITHMS).decode_complete(
            unverified.text, key.public, algorithms=[key.algorithm]
        )
    except (jwt.InvalidTokenError, jwt.InvalidKeyError):
        # The library's error may quote parts of the token: it is not passed on.
        raise SignatureInvalid(key_id=key.key_id) from None


def _check_times(
    claims: Mapping[str, object], *, now: datetime, longest_life: timedelta
) -> datetime:
    """Check `exp`, `nbf`, `iat` and the life between them; the answer is when it expires."""
    expires, issued = _seconds(claims, "exp"), _seconds(claims, "iat")
    starts = _seconds(claims, "nbf") if "nbf" in claims else issued
    present, leeway = now.timestamp(), LEEWAY.total_seconds()
    if present >= expires + leeway:
        raise IdentityTokenExpired(expired_at=expires, now=int(present))
    if max(starts, issued) > present + leeway:
        raise IdentityTokenNotYetValid(valid_from=max(starts, issued), now=int(present))
    if expires - issued > longest_life.total_seconds():
        limit = int(longest_life.total_seconds())
        raise IdentityTokenLivesTooLong(life_seconds=expires - issued, limit_seconds=limit)
    return datetime.fromtimestamp(expires, tz=UTC)


def _seconds(claims: Mapping[str, object], name: str) -> int:
    if name not in claims:
        raise ClaimMissing(claim=name)
    value = claims[name]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _FAR_FUTURE:
        raise ClaimInvalid(claim=name, expected="whole seconds since 1970", found=shown(value))
    return value


def _object(segment: str, part: str) -> Mapping[str, object]:
    """The JSON object in a segment; a name that stands twice has no one meaning."""
    decoded = _decoded(segment, part)
    try:
        # RFC 8259, sections 8.1 and 6: UTF-8 alone and no NaN, where the library guesses encodings.
        text = decoded.decode("utf-8", "strict")
        found = json.loads(text, object_pairs_hook=_each_name_once, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise IdentityTokenMalformed(reason=f"the {part} is not JSON") from None
    if not isinstance(found, dict):
        raise IdentityTokenMalformed(reason=f"the {part} is not a JSON object")
    if _is_deep(found):
        raise IdentityTokenMalformed(reason=f"the {part} is nested too deeply", limit=_DEEPEST)
    return found


def _is_deep(found: object) -> bool:
    """Whether containers stand in one another more than `_DEEPEST` times; walks, never recurs."""
    level = [found]
    for _ in range(_DEEPEST):
        level = [
            member
            for container in level
            if isinstance(container, dict | list)
            for member in (container.values() if isinstance(container, dict) else container)
        ]
    return any(isinstance(member, dict | list) for member in level)


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _each_name_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise IdentityTokenMalformed(reason="a JSON name stands twice")
    return members


def _decoded(segment: str, part: str) -> bytes:
    """Decode base64url without padding, in its one canonical spelling."""
    try:
        if _SEGMENT.fullmatch(segment):
            decoded = urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
            if urlsafe_b64encode(decoded).rstrip(b"=").decode() == segment:
                return decoded
    except binascii.Error:
        pass
    raise IdentityTokenMalformed(reason=f"the {part} is not base64url")
