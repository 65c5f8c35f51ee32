"""Which log and which authority a trust root means, and when: what sigstore-python leaves out.

It tries every log key that the root holds, and accepts keys and authorities after their end. A
store that retires a log after a restore needs both to be told apart.
"""

from collections.abc import Sequence
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from sigstore._internal.rekor.checkpoint import SignedCheckpoint
from sigstore.models import Bundle
from sigstore_models.common.v1 import TimeRange
from sigstore_models.rekor import v1 as rekor
from sigstore_models.trustroot import v1 as trustroot


def named_logs(
    root: trustroot.TrustedRoot, key_id: bytes
) -> list[trustroot.TransparencyLogInstance]:
    """The logs of the root that have this id; none when a stranger's log is named."""
    return [log for log in root.tlogs if log.log_id.key_id == key_id]


def trouble_with_log(
    entry: rekor.TransparencyLogEntry,
    logs: Sequence[trustroot.TransparencyLogInstance],
    times: Sequence[datetime],
) -> str:
    """Why the verified log entry is not acceptable all the same; empty when it is."""
    if not logs:
        return f"the trust root has no log {entry.log_id.key_id.hex()}"
    if not any(_covers(log.public_key.valid_for, times) for log in logs):
        return "the log's key was not valid at the time of signing"
    proof = entry.inclusion_proof
    if proof.checkpoint is None:
        return "the inclusion proof has no checkpoint"
    checkpoint = SignedCheckpoint.from_text(proof.checkpoint.envelope).checkpoint
    if checkpoint.log_size != proof.tree_size:
        return f"the proof is for size {proof.tree_size}, the checkpoint {checkpoint.log_size}"
    return ""


def trouble_with_authority(
    bundle: Bundle, root: trustroot.TrustedRoot, times: Sequence[datetime]
) -> str:
    """Why the verified chain is not acceptable all the same; empty when it is."""
    for authority in root.certificate_authorities:
        if _covers(authority.valid_for, times) and _issued(authority, bundle.signing_certificate):
            return ""
    return "no authority that was valid at the time of signing issued the certificate"


def _covers(window: TimeRange | None, times: Sequence[datetime]) -> bool:
    """Both ends belong to the window (protobuf-specs, TimeRange). An end wants a time."""
    if window is None or (window.end is not None and not times):
        return False
    return all(
        window.start <= time and (window.end is None or time <= window.end) for time in times
    )


def _issued(authority: trustroot.CertificateAuthority, leaf: x509.Certificate) -> bool:
    for known in authority.cert_chain.certificates:
        try:
            leaf.verify_directly_issued_by(x509.load_der_x509_certificate(known.raw_bytes))
        except (ValueError, TypeError, InvalidSignature):
            continue  # another name, another kind of key, another key
        return True
    return False
