"""What a trust root holds, key by key, for a person who decides whether to believe it."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sigstore.models import TrustedRoot
from sigstore.verify import Verifier
from sigstore_models.common.v1 import TimeRange
from sigstore_models.trustroot import v1 as trustroot

from provenance.adapters.signing_algorithms import load_spki
from provenance.domain.signing_keys import SigningKey
from provenance.domain.trust_document import read_trust_document


class UnusableTrustRoot(ValueError):
    """The document is no trust root that anything can be verified with."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One key or authority: what it is for, the digest of what is trusted, since when, until when.

    `address` says of a signing key for whom it may speak. `until` is empty while it has no end.
    Two with equal `kind` and `sha256` are the same key.
    """

    kind: str
    sha256: str
    address: str
    since: str
    until: str

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256} of {self.address}"


def trusted_keys(trust_root: bytes) -> tuple[TrustedKey, ...]:
    """Every key of the trust root, in its own order.

    Raises:
        UnusableTrustRoot: it cannot be read, or holds nothing to verify with.
    """
    try:
        trust = read_trust_document(trust_root)
        root = trustroot.TrustedRoot.from_json(trust.trusted_root)
        if not trust.signing_keys or (root.certificate_authorities and root.tlogs):
            Verifier(trusted_root=TrustedRoot(root))
        for key in trust.signing_keys:
            load_spki(key.spki)
        return (*_keys(root), *map(_signing_key, trust.signing_keys))
    except Exception as error:
        # A file from anywhere, and below are pydantic, base64 and DER, with errors of their own.
        raise UnusableTrustRoot(f"{type(error).__name__}: {error}"[:300]) from error


def _keys(root: trustroot.TrustedRoot) -> Iterator[TrustedKey]:
    yield from _authorities("certificate authority", root.certificate_authorities)
    yield from _logs("certificate log", root.ctlogs)
    yield from _logs("signature log", root.tlogs)
    yield from _authorities("timestamp authority", root.timestamp_authorities)


def _authorities(
    kind: str, authorities: Sequence[trustroot.CertificateAuthority]
) -> Iterator[TrustedKey]:
    for authority in authorities:
        chain = b"".join(one.raw_bytes for one in authority.cert_chain.certificates)
        yield _key(kind, chain, authority.uri or "", authority.valid_for)


def _logs(kind: str, logs: Sequence[trustroot.TransparencyLogInstance]) -> Iterator[TrustedKey]:
    for log in logs:
        key = log.public_key
        if key.raw_bytes is None:
            raise ValueError(f"{kind} {log.base_url} has no key")
        yield _key(kind, key.raw_bytes, log.base_url, key.valid_for)


def _signing_key(key: SigningKey) -> TrustedKey:
    demands = " and ".join(sorted(key.demands)) or "no timestamp or log"
    revoked = f", REVOKED {key.revoked_at.isoformat()}" if key.revoked_at is not None else ""
    return TrustedKey(
        kind="signing key",
        sha256=key.id,
        address=f"for {', '.join(key.speaks_for)} with {demands}{revoked}",
        since=key.since.isoformat(),
        until=key.until.isoformat() if key.until is not None else "",
    )


def _key(kind: str, trusted: bytes, address: str, window: TimeRange | None) -> TrustedKey:
    since = window.start.isoformat() if window is not None else ""
    until = window.end.isoformat() if window is not None and window.end is not None else ""
    return TrustedKey(kind, hashlib.sha256(trusted).hexdigest(), address, since, until)


def contested_keys(current: bytes, proposed: bytes, *, now: datetime) -> list[TrustedKey]:
    """The keys that the proposed root judges otherwise, but for an end that is to come.

    Such an end takes nothing back: what the key has signed stays verifiable. A root that nothing
    can be verified with contests all of them.

    Raises:
        UnusableTrustRoot: the current one cannot be read.
    """
    try:
        offered = trusted_keys(proposed)
    except UnusableTrustRoot:
        offered = ()
    return [
        key
        for key in trusted_keys(current)
        if not any(_agrees(other, key, now=now) for other in offered)
    ]


def _agrees(offered: TrustedKey, key: TrustedKey, *, now: datetime) -> bool:
    if (offered.kind, offered.sha256, offered.since) != (key.kind, key.sha256, key.since):
        return False
    if offered.until == key.until:
        return True
    ends_soon = bool(offered.until) and datetime.fromisoformat(offered.until) >= now
    return ends_soon and (not key.until or offered.until < key.until)
