"""The store's own tokens: how they look, how one is made, read and looked up.

`srt_` (API), `srp_` (personal) or `sru_` (upload), 30 random base62 digits, 6 of checksum. Prefix
and checksum let secret scanners find a leaked token without asking us; neither is a secret.
"""

import hashlib
import re
import secrets
import zlib
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from access.errors import TokenMalformed

UPLOAD_LIFE: Final = timedelta(minutes=15)
LOGIN_LIFE: Final = timedelta(hours=12)
LONGEST_API_LIFE: Final = timedelta(days=365)

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_DIGITS: Final = 30  # 178 bits
_CHECKSUM_DIGITS: Final = 6  # 62**6 > 2**32
_SHAPE: Final = re.compile(rf"(sr[tpu]_)([0-9A-Za-z]{{{_RANDOM_DIGITS + _CHECKSUM_DIGITS}}})")
_EXPECTED: Final = "a token of this store: srt_…, srp_… or sru_…"


class TokenKind(StrEnum):
    """How a token comes about.

    API tokens are made for services; personal ones by people for themselves, also by logging in;
    upload tokens by exchanging a CI identity.
    """

    API = "api"
    PERSONAL = "personal"
    UPLOAD = "upload"


_PREFIXES: Final = {TokenKind.API: "srt_", TokenKind.PERSONAL: "srp_", TokenKind.UPLOAD: "sru_"}
_KINDS: Final = {prefix: kind for kind, prefix in _PREFIXES.items()}


@dataclass(frozen=True, slots=True)
class Secret:
    """A token's text. It shows itself only to whoever asks for `text`: no repr, no str."""

    kind: TokenKind
    text: str = field(repr=False)

    @property
    def sha256(self) -> str:
        """Under which the token is looked up: with 178 random bits a plain hash is enough."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def make(kind: TokenKind) -> Secret:
    """Draw a new token."""
    drawn = "".join(secrets.choice(_BASE62) for _ in range(_RANDOM_DIGITS))
    body = _PREFIXES[kind] + drawn
    return Secret(kind, body + _checksum(body))


def parse(text: str) -> Secret:
    """Read a presented token; the checksum catches a mistyped or cut one without a query.

    Raises:
        TokenMalformed: it is no token of ours. The refusal does not repeat it.
    """
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        raise TokenMalformed(expected=_EXPECTED)
    if text[-_CHECKSUM_DIGITS:] != _checksum(text[:-_CHECKSUM_DIGITS]):
        raise TokenMalformed(expected="a token that was copied whole: its checksum is wrong")
    return Secret(_KINDS[shape[1]], text)


def _checksum(body: str) -> str:
    """CRC-32 of all that stands before it, so that the prefix cannot be swapped either."""
    rest = zlib.crc32(body.encode())
    digits = []
    for _ in range(_CHECKSUM_DIGITS):
        rest, digit = divmod(rest, len(_BASE62))
        digits.append(_BASE62[digit])
    return "".join(reversed(digits))
