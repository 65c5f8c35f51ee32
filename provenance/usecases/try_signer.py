"""Try the signer: sign a statement about nothing, and verify it as a consumer would."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from kernel.digest import Sha256
from provenance.domain.evidence import Step, VerifiedBundle
from provenance.domain.statement import Statement, Subject, encode
from provenance.domain.transparency import DEFAULT, Transparency
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.ports import BundleVerifier, Signed, Signer, SigningJob
from provenance.queries import trust_root, trust_state

# Certificates live for ten minutes and requests to key services for five.
MOST_CLOCKS_DIFFER: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Trial:
    """The bundle that was made, the steps of its verification, and what it vouches for."""

    bundle: bytes
    identity: str
    steps: tuple[Step, ...]
    verified: VerifiedBundle


def try_signer(
    *,
    signer: Signer,
    verifier: BundleVerifier,
    base_url: str,
    now: datetime,
    transparency: Transparency = DEFAULT,
) -> Trial:
    """Sign and verify against the published trust root; nothing is recorded by the store.

    The statement has a type and an identity of its own, which no policy accepts. A log of the
    signer's keeps an entry of it: a public one, where `transparency` says so.

    Raises:
        SignerUnavailable: it cannot sign now; the facts say which part, and why.
        SignerRefused: it signs something else, or nothing that the trust root verifies.
        TrustRootMissing: no trust root has been published.
    """
    root = trust_root(version=trust_state().trust_root_version)
    identity = f"{base_url}/attestors/signer-test/v1"
    subject = Subject("nothing", Sha256.of(hashlib.sha256(b"").digest()))
    kind = f"{base_url}/predicates/signer-test/v1"
    statement = encode(Statement((subject,), kind, {"testedAt": now.isoformat()}))
    (answer,) = signer.sign([SigningJob(statement, identity, {}, transparency)])
    if not isinstance(answer, Signed):
        raise answer
    verification = verifier.verify(answer.bundle, trust_root=root)
    verified = verification.verified
    if verified is None:
        failed = verification.steps[-1]
        raise SignerRefused(
            reason=failed.code, step=failed.name.value, expected=failed.expected, found=failed.found
        )
    if not verified.may_be(identity):
        speaks_for = verified.key.speaks_for if verified.key is not None else verified.identity
        raise SignerRefused(reason="identity-differs", expected=identity, found=speaks_for)
    for name, expected, found in (
        ("issuer", base_url, verified.issuer),
        ("statement", statement.decode(), verified.payload.decode(errors="replace")),
    ):
        if found != expected:
            raise SignerRefused(reason=f"{name}-differs", expected=expected, found=found)
    _compare_clocks(verified.signed_at, now)
    return Trial(answer.bundle, identity, verification.steps, verified)


def _compare_clocks(signed_at: datetime | None, now: datetime) -> None:
    """Whoever vouches for the time has a clock of his own: far apart, one of them is wrong."""
    if signed_at is not None and abs(signed_at - now) > MOST_CLOCKS_DIFFER:
        raise SignerUnavailable(
            reason="clock-differs",
            found=f"{now.isoformat()} here, {signed_at.isoformat()} there",
            expected=f"clocks within {MOST_CLOCKS_DIFFER} of each other",
        )
