"""SHA-256 digests: one type from the wire to the database, and the RFC 9530 header forms."""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final, Self

from kernel.errors import Kind, Refusal

_HEX: Final = re.compile(r"[0-9a-f]{64}")
_MEMBER: Final = re.compile(r"\s*([a-z*][a-z0-9_.*-]*)\s*=\s*:([A-Za-z0-9+/=]*):\s*(?:;[^,]*)?")


class MalformedDigest(Refusal):
    """A digest was given in a form that cannot be read."""

    code = "malformed-digest"
    kind = Kind.MALFORMED


@dataclass(frozen=True, slots=True, order=True)
class Sha256:
    """A SHA-256 digest as 64 lowercase hexadecimal digits (in-toto DigestSet spelling)."""

    hex: str

    def __post_init__(self) -> None:
        if not _HEX.fullmatch(self.hex):
            raise MalformedDigest(found=self.hex[:80], expected="64 lowercase hexadecimal digits")

    @classmethod
    def of(cls, data: bytes | memoryview) -> Self:
        """Wrap the 32 raw bytes that a hash function gave."""
        return cls(bytes(data).hex())

    @property
    def raw(self) -> bytes:
        """The digest's 32 bytes."""
        return bytes.fromhex(self.hex)

    @property
    def field(self) -> str:
        """The value of a `Repr-Digest` or `Content-Digest` header (RFC 9530, section 2)."""
        return f"sha-256=:{base64.b64encode(self.raw).decode()}:"

    def __str__(self) -> str:
        return self.hex


def parse_digest_field(value: str, *, header: str) -> Sha256 | None:
    """Read the SHA-256 member of a `Repr-Digest` or `Content-Digest` header.

    Other algorithms are passed over, as RFC 9530 section 2 asks: the answer is None when
    only they are named.

    Raises:
        MalformedDigest: the header is not a dictionary of byte sequences, or names SHA-256
            with something that is not 32 bytes, or twice with different values.
    """
    found: Sha256 | None = None
    for member in value.split(","):
        match = _MEMBER.fullmatch(member)
        if match is None:
            raise MalformedDigest(header=header, found=value[:200], expected="sha-256=:<base64>:")
        algorithm, encoded = match.groups()
        if algorithm != "sha-256":
            continue
        try:
            raw = base64.b64decode(encoded, validate=True)
        except binascii.Error as error:
            raise MalformedDigest(header=header, found=value[:200]) from error
        if len(raw) != 32:  # noqa: PLR2004 - SHA-256 has 32 bytes by definition
            raise MalformedDigest(header=header, found=value[:200], expected="32 bytes of SHA-256")
        digest = Sha256.of(raw)
        if found is not None and found != digest:
            raise MalformedDigest(header=header, found=value[:200], expected="one SHA-256 value")
        found = digest
    return found
