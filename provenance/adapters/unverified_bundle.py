"""Read a bundle from a stranger: bounded, strict, and told apart when it is only unsupported.

"Malformed" means that no verifier should accept these bytes; "unsupported" that they look like a
Sigstore bundle of a kind that this store cannot verify. Neither is ever accepted.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sigstore.models import Bundle

MAX_BYTES: Final = 16 * 1024 * 1024
# A bundle has some thirty arrays and objects. The limit bounds nesting and memory alike.
MAX_CONTAINERS: Final = 1000
MEDIA_TYPES: Final = frozenset(Bundle.BundleType)
_FAMILY: Final = "application/vnd.dev.sigstore.bundle"
# The log entries that sigstore-python can hold against a DSSE envelope.
_ENTRY_KINDS: Final = frozenset({("dsse", "0.0.1"), ("hashedrekord", "0.0.2")})
# Those that we can, where a managed key has signed it.
_KEYED_ENTRY_KINDS: Final = frozenset({("hashedrekord", "0.0.2")})
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why there is nothing to verify: a code of the bundle step, and what was found."""

    code: str
    expected: str
    found: str


def read_document(unverified: bytes) -> Mapping[str, Any] | Unreadable:
    """The bundle as JSON: no more than 16 MiB, few containers, every key once, no NaN."""
    if len(unverified) > MAX_BYTES:
        return _malformed(f"at most {MAX_BYTES} bytes", f"{len(unverified)} bytes")
    skeleton = _STRING.sub(b"", unverified)
    containers = skeleton.count(b"{") + skeleton.count(b"[")
    if containers > MAX_CONTAINERS:
        return _malformed(f"at most {MAX_CONTAINERS} arrays and objects", str(containers))
    try:
        document = json.loads(
            unverified.decode(), object_pairs_hook=_unique, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        return _malformed("JSON", str(error))
    if not isinstance(document, dict):
        return _malformed("a JSON object", type(document).__name__)
    return document


def unsupported(document: Mapping[str, Any]) -> Unreadable | None:
    """Whether this is a bundle of a kind that we do not verify, before its details are read."""
    media_type = document.get("mediaType")
    if not isinstance(media_type, str) or not media_type.startswith(_FAMILY):
        return _malformed(_FAMILY, str(media_type))
    if media_type not in MEDIA_TYPES:
        return _unsupported("a known version of the bundle", media_type)
    if "messageSignature" in document:
        return _unsupported("a DSSE envelope", "a message signature")
    material = document.get("verificationMaterial")
    if not isinstance(material, dict):
        return _malformed("verificationMaterial", "")
    keyed = is_keyed(document)
    known = _KEYED_ENTRY_KINDS if keyed else _ENTRY_KINDS
    entries = material.get("tlogEntries")
    for entry in entries if isinstance(entries, list) else []:
        match entry:
            case {"kindVersion": {"kind": str(kind), "version": str(version)}} if (
                kind,
                version,
            ) not in known:
                expected = "a hashedrekord entry 0.0.2" if keyed else "a dsse entry 0.0.1"
                return _unsupported(expected, f"{kind} entry {version}")
            case _:
                pass
    return None


def is_keyed(document: Mapping[str, Any]) -> bool:
    """Whether the bundle names a key instead of bringing a certificate along."""
    material = document.get("verificationMaterial")
    return isinstance(material, dict) and "publicKey" in material


def _malformed(expected: str, found: str) -> Unreadable:
    return Unreadable("malformed-bundle", expected, found[:300])


def _unsupported(expected: str, found: str) -> Unreadable:
    return Unreadable("unsupported-bundle", expected, found[:300])


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a repeated key: another verifier could read another bundle in the same bytes."""
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice")
    return members


def _no_constant(found: str) -> None:
    raise ValueError(f"{found} is not JSON")
