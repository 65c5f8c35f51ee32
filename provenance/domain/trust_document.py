"""A store's trust root: Sigstore's TrustedRoot, and beside it the managed signing keys.

A store without managed keys publishes the bare TrustedRoot. With them it is one document around
both, so that they have one version and one digest to pin. Other tools are strict about the
TrustedRoot's members, and are given that part alone.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from provenance.domain.signing_keys import SigningKey, key_document, read_key

MEDIA_TYPE: Final = "application/vnd.strongroom.trust-root.v1+json"
SIGSTORE_MEDIA_TYPE: Final = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
_MEMBERS: Final = frozenset({"mediaType", "trustedRoot", "signingKeys"})
_LISTS: Final = ("certificateAuthorities", "ctlogs", "timestampAuthorities", "tlogs")
MAX_KEYS: Final = 100


@dataclass(frozen=True, slots=True)
class TrustDocument:
    """`trusted_root` is a Sigstore TrustedRoot as JSON; the keys have different ids."""

    trusted_root: bytes
    signing_keys: tuple[SigningKey, ...] = ()

    def to_json(self) -> bytes:
        """Write it. Equal parts give equal bytes; without keys it is the TrustedRoot's own."""
        if not self.signing_keys:
            return self.trusted_root
        return _encoded(
            {
                "mediaType": MEDIA_TYPE,
                "trustedRoot": json.loads(self.trusted_root),
                "signingKeys": [key_document(key) for key in self.signing_keys],
            }
        )

    def hinted(self, hint: str) -> SigningKey | None:
        """The key that a bundle names, if the list has it."""
        return next((key for key in self.signing_keys if key.hint == hint), None)


def read_trust_document(content: bytes) -> TrustDocument:
    """Read either form. What is inside of a TrustedRoot is left to those who verify with it.

    Raises:
        ValueError: it is no JSON object, or its list of keys cannot be understood whole.
    """
    try:
        document = json.loads(content, object_pairs_hook=_unique)
        is_ours = document.get("mediaType") == MEDIA_TYPE
        return _read(document) if is_ours else TrustDocument(content)
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no trust root: {type(error).__name__}: {error}"[:300]) from error


def empty_trusted_root() -> bytes:
    """The TrustedRoot of a store that needs nobody's: no authority, no log, no clock."""
    return _encoded({"mediaType": SIGSTORE_MEDIA_TYPE, **{name: [] for name in _LISTS}})


def spliced_root(published: bytes, *, old: bytes, new: bytes) -> bytes:
    """The published TrustedRoot with the entries of `new` where those of `old` stood in it.

    Everything else stays as it is: a store may also publish what is not its own.
    """
    root, before, after = json.loads(published), json.loads(old), json.loads(new)
    for name in _LISTS:
        entries, gone = root.get(name, []), before.get(name, [])
        place = next((at for at, one in enumerate(entries) if one in gone), len(entries))
        kept = [one for one in entries[place:] if one not in gone]
        root[name] = [*entries[:place], *after.get(name, []), *kept]
    return _encoded(root)


def joined_roots(first: bytes, second: bytes) -> bytes:
    """One TrustedRoot with everything of both, each entry once: a store may change its signer."""
    root, other = json.loads(first), json.loads(second)
    for name in _LISTS:
        entries = root.get(name, [])
        root[name] = [*entries, *(one for one in other.get(name, []) if one not in entries)]
    return _encoded(root)


def _read(document: Mapping[str, Any]) -> TrustDocument:
    if set(document) != _MEMBERS:
        raise ValueError(f"members {sorted(document)}, expected {sorted(_MEMBERS)}")
    entries: Sequence[Mapping[str, Any]] = document["signingKeys"]
    if not isinstance(entries, list) or not 0 < len(entries) <= MAX_KEYS:
        raise ValueError(f"signingKeys is no list of 1 to {MAX_KEYS} keys")
    keys = tuple(read_key(entry) for entry in entries)
    if len({key.id for key in keys}) != len(keys):
        raise ValueError("a signing key stands twice")
    return TrustDocument(_encoded(document["trustedRoot"]), keys)


def _encoded(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, indent=2, sort_keys=True).encode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key stands twice")
    return members
