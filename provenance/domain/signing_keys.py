"""Managed signing keys: what a trust root says of each, and how the list of them may change.

Sigstore's TrustedRoot has no place for keys that sign without a certificate, so that the store
keeps a list of its own beside it (docs/signers.md, "The list of keys"). A key proves who signed;
for which builders it may speak is what the list says, and which of them count is the trust map's.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from kernel.errors import Kind, Refusal

ATTESTOR_PATHS: Final = ("/builders/", "/attestors/")
_MEMBERS: Final = frozenset({"id", "publicKey", "issuer", "speaksFor", "demands"})
_OPTIONAL: Final = frozenset({"revokedAt"})


class Algorithm(StrEnum):
    """How a key signs: it follows from the key. Named as PublicKeyDetails in protobuf-specs."""

    ED25519 = "PKIX_ED25519"
    ECDSA_P256 = "PKIX_ECDSA_P256_SHA_256"
    ECDSA_P384 = "PKIX_ECDSA_P384_SHA_384"
    RSA_2048 = "PKIX_RSA_PKCS1V15_2048_SHA256"
    RSA_3072 = "PKIX_RSA_PKCS1V15_3072_SHA256"
    RSA_4096 = "PKIX_RSA_PKCS1V15_4096_SHA256"


class Demand(StrEnum):
    """What a bundle of a key must bring along, or it was stripped of it."""

    TIMESTAMP = "timestamp"
    LOG = "log"


class NoSuchSigningKey(Refusal):
    """The published trust root lists no signing key of this id."""

    code = "no-such-signing-key"
    kind = Kind.NOT_FOUND


class SigningKeyWithoutTime(Refusal):
    """Nobody could check an end of this signing key: what it signs bears no timestamp."""

    code = "signing-key-without-time"
    kind = Kind.CONFLICT


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One public key with what it may be believed for.

    `spki` is its DER SubjectPublicKeyInfo; `issuer` the store whose attestor holds it;
    `speaks_for` the identities it may sign as: one that ends in `/` stands for all that begin so.
    `since` and `until` are ends that belong to the window; only a trusted time can be held
    against them. A revoked key counts for nothing, whenever it signed.
    """

    spki: bytes
    algorithm: Algorithm
    issuer: str
    speaks_for: tuple[str, ...]
    demands: frozenset[Demand]
    since: datetime
    until: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def id(self) -> str:
        """The hex SHA-256 of the key (DER, SPKI)."""
        return hashlib.sha256(self.spki).hexdigest()

    @property
    def hint(self) -> str:
        """What a bundle names the key by, as cosign does: the base64 of the same digest."""
        return key_hint(self.spki)

    def may_speak_for(self, identity: str) -> bool:
        """Whether the list lets the key sign as this identity."""
        return any(
            identity.startswith(scope) if scope.endswith("/") else identity == scope
            for scope in self.speaks_for
        )


def key_hint(spki: bytes) -> str:
    """The `publicKey.hint` of a bundle: base64 of the SHA-256 of the key (cosign's convention)."""
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()


def public_pem(key: SigningKey) -> str:
    """The key as PEM (RFC 7468, section 13), for tools that are given keys as files."""
    text = base64.b64encode(key.spki).decode()
    lines = [text[start : start + 64] for start in range(0, len(text), 64)]
    return "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])


def attestor_scope(*, base_url: str) -> tuple[str, ...]:
    """What an attestor's key speaks for: every builder of the store, and its release attestor."""
    return tuple(f"{base_url}{path}" for path in ATTESTOR_PATHS)


def with_key(keys: Sequence[SigningKey], new: SigningKey) -> tuple[SigningKey, ...]:
    """The list with one key more. One that is there stays as it is: bundles were made by it."""
    if any(key.id == new.id for key in keys):
        return tuple(keys)
    return (*keys, new)


def with_end(
    keys: Sequence[SigningKey], identity: str, *, until: datetime
) -> tuple[SigningKey, ...]:
    """The list in which a key is believed for what was signed until then, and for nothing later.

    Raises:
        NoSuchSigningKey: there is no such key.
        SigningKeyWithoutTime: its bundles have no timestamp, and could be of any time.
    """
    key = found(keys, identity)
    if Demand.TIMESTAMP not in key.demands:
        raise SigningKeyWithoutTime(
            key=key.id, expected="a key whose bundles are timestamped; this one can be revoked"
        )
    return _replaced(keys, replace(key, until=until))


def with_revocation(
    keys: Sequence[SigningKey], identity: str, *, revoked_at: datetime
) -> tuple[SigningKey, ...]:
    """The list in which a key counts for nothing any more; revoking again changes nothing.

    Raises:
        NoSuchSigningKey: there is no such key.
    """
    key = found(keys, identity)
    return _replaced(keys, replace(key, revoked_at=key.revoked_at or revoked_at))


def found(keys: Sequence[SigningKey], identity: str) -> SigningKey:
    """The key of this id.

    Raises:
        NoSuchSigningKey: there is none.
    """
    for key in keys:
        if key.id == identity:
            return key
    raise NoSuchSigningKey(key=identity[:64], expected=[key.id for key in keys])


def key_document(key: SigningKey) -> dict[str, Any]:
    """Write an entry of the list; `read_key` gives an equal key back."""
    window = {"start": _rfc3339(key.since)}
    if key.until is not None:
        window["end"] = _rfc3339(key.until)
    document: dict[str, Any] = {
        "id": key.id,
        "publicKey": {
            "rawBytes": base64.b64encode(key.spki).decode(),
            "keyDetails": key.algorithm.value,
            "validFor": window,
        },
        "issuer": key.issuer,
        "speaksFor": list(key.speaks_for),
        "demands": sorted(demand.value for demand in key.demands),
    }
    if key.revoked_at is not None:
        document["revokedAt"] = _rfc3339(key.revoked_at)
    return document


def read_key(document: Mapping[str, Any]) -> SigningKey:
    """Read an entry: closed, because a member that is not understood may be a limit.

    Raises:
        ValueError: it has a member too many or too few, or one of another kind.
    """
    members = set(document)
    if not members >= _MEMBERS or not members <= _MEMBERS | _OPTIONAL:
        raise ValueError(f"members {sorted(members)}, expected {sorted(_MEMBERS)}")
    public, revoked = document["publicKey"], document.get("revokedAt")
    if set(public) != {"rawBytes", "keyDetails", "validFor"}:
        raise ValueError(f"members of publicKey {sorted(public)}")
    window = public["validFor"]
    if not {"start"} <= set(window) <= {"start", "end"}:
        raise ValueError(f"members of validFor {sorted(window)}")
    try:
        spki = base64.b64decode(public["rawBytes"], validate=True)
    except binascii.Error as error:
        raise ValueError(f"rawBytes: {error}") from error
    key = SigningKey(
        spki=spki,
        algorithm=Algorithm(public["keyDetails"]),
        issuer=_text(document["issuer"]),
        speaks_for=tuple(_text(scope) for scope in _list(document["speaksFor"])),
        demands=frozenset(Demand(demand) for demand in _list(document["demands"])),
        since=_moment(window["start"]),
        until=_moment(window["end"]) if "end" in window else None,
        revoked_at=_moment(revoked) if revoked is not None else None,
    )
    if document["id"] != key.id:
        raise ValueError(f"id {document['id']!r}, but the key is {key.id}")
    return key


def _replaced(keys: Sequence[SigningKey], new: SigningKey) -> tuple[SigningKey, ...]:
    return tuple(new if key.id == new.id else key for key in keys)


def _list(value: object) -> list[Any]:
    if not isinstance(value, list) or len({str(one) for one in value}) != len(value):
        raise ValueError(f"{value!r} is no list of different things")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError(f"{value!r} is no text")
    return value


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone")
    return moment


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
