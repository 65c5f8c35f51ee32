"""Try the signer: sign a statement about nothing, and verify it as a consumer would."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from kernel.digest import Sha256
from provenance.domain.statement import Statement, Subject, encode
from provenance.errors import SignerRefused
from provenance.ports import BundleVerifier, Signed, Signer, SigningJob
from provenance.queries import trust_root, trust_state


@dataclass(frozen=True, slots=True)
class Trial:
    """The bundle that was made, and what its certificate and log say."""

    bundle: bytes
    identity: str
    issuer: str
    signed_at: datetime
    log_index: int


def try_signer(*, signer: Signer, verifier: BundleVerifier, base_url: str, now: datetime) -> Trial:
    """Sign and verify against the published trust root; nothing is recorded by the store.

    The statement has a type and an identity of its own, which no policy accepts. A log of the
    signer's keeps an entry of it.

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
    (answer,) = signer.sign([SigningJob(statement, identity, {})])
    if not isinstance(answer, Signed):
        raise answer
    verification = verifier.verify(answer.bundle, trust_root=root)
    verified = verification.verified
    if verified is None:
        failed = verification.steps[-1]
        raise SignerRefused(
            reason=failed.code, step=failed.name.value, expected=failed.expected, found=failed.found
        )
    for name, expected, found in (
        ("identity", identity, verified.identity),
        ("issuer", base_url, verified.issuer),
        ("statement", statement.decode(), verified.payload.decode(errors="replace")),
    ):
        if found != expected:
            raise SignerRefused(reason=f"{name}-differs", expected=expected, found=found)
    return Trial(
        answer.bundle, verified.identity, verified.issuer, verified.signed_at, verified.log_index
    )
