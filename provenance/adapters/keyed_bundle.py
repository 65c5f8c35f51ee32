"""Verify bundles of managed keys offline: what sigstore-python, which wants certificates, cannot.

The parts that are hard to get right are its own and rfc3161-client's (log proofs, checkpoints,
timestamps); here stands what holds them together. A bundle names its key, and nothing else about
it: what the key is, how it signs and what its bundles must bring along is the trust root's word.
"""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from cryptography import x509
from rfc3161_client import TimeStampResponse, VerifierBuilder, decode_timestamp_response
from rfc3161_client import VerificationError as TimestampError
from sigstore._internal.trust import KeyringPurpose
from sigstore.dsse import Envelope
from sigstore.models import TransparencyLogEntry, TrustedRoot
from sigstore_models.bundle import v1 as bundles
from sigstore_models.rekor import v2 as rekor
from sigstore_models.trustroot import v1 as trustroot

from provenance.adapters.key_log_entries import expected_body
from provenance.adapters.signing_algorithms import (
    PublicKey,
    UnsupportedKey,
    algorithm_of,
    load_spki,
    verify_signature,
)
from provenance.adapters.sigstore_failures import may_be_the_bytes_fault
from provenance.adapters.trust_windows import named_logs, trouble_with_log
from provenance.domain.evidence import Step, StepName, Verification, VerifiedBundle
from provenance.domain.signing_keys import Demand, SigningKey
from provenance.domain.trust_document import TrustDocument

logger = logging.getLogger(__name__)

MEDIA_TYPES: Final = frozenset(
    {
        "application/vnd.dev.sigstore.bundle+json;version=0.3",
        "application/vnd.dev.sigstore.bundle.v0.3+json",
    }
)
_MOST_TIMESTAMPS: Final = 32


class _Failed(Exception):
    """The step at which a bundle is refused."""

    def __init__(self, code: str, expected: str = "", found: str = "") -> None:
        super().__init__(code)
        self.code, self.expected, self.found = code, expected, found


def verify_keyed(unverified: bytes, trust: TrustDocument) -> Verification:
    """Run every step that applies, in order, and stop at the first that fails; never raises.

    A step without its object is left out only where the key demands no such object.
    """
    examination = _Examination(unverified, trust)
    taken: list[Step] = []
    for name, code, check in examination.checks():
        try:
            if check():
                taken.append(Step(name))
        except _Failed as failed:
            return _refused(taken, Step(name, failed.code, failed.expected, failed.found[:300]))
        except BaseException as error:
            if not may_be_the_bytes_fault(error):
                raise
            return _refused(taken, Step(name, code, found=f"{type(error).__name__}: {error}"[:300]))
    return Verification(tuple(taken), examination.verified())


def _refused(taken: list[Step], failed: Step) -> Verification:
    logger.info("bundle refused", extra={"step": failed.name, "code": failed.code})
    return Verification((*taken, failed))


class _Examination:
    """One bundle against one trust root; each check says whether there was something to check."""

    bundle: bundles.Bundle
    envelope: Envelope
    key: SigningKey
    public: PublicKey
    entry: TransparencyLogEntry
    times: list[datetime]

    def __init__(self, unverified: bytes, trust: TrustDocument) -> None:
        self.unverified = unverified
        self.trust = trust
        self.root = trustroot.TrustedRoot.from_json(trust.trusted_root)
        self.times = []

    def checks(self) -> tuple[tuple[StepName, str, Callable[[], bool]], ...]:
        """The steps with the code of an unforeseen failure; the order of certificates' bundles."""
        return (
            (StepName.BUNDLE, "malformed-bundle", self.read),
            (StepName.KEY, "key-unknown", self.find_key),
            (StepName.TIME, "no-verified-time", self.verify_time),
            (StepName.LOG, "log-entry-invalid", self.verify_log),
            (StepName.SIGNATURE, "signature-invalid", self.verify_signature),
            (StepName.LOG_CONSISTENCY, "log-mismatch", self.compare_entry),
        )

    def read(self) -> bool:
        self.bundle = bundles.Bundle.from_json(self.unverified)
        if self.bundle.media_type not in MEDIA_TYPES:
            raise _Failed("unsupported-bundle", "a bundle v0.3", self.bundle.media_type)
        if self.bundle.dsse_envelope is None:
            raise _Failed("malformed-bundle", "a DSSE envelope")
        self.envelope = Envelope(self.bundle.dsse_envelope)
        return True

    def find_key(self) -> bool:
        """Only by the hint: to try every key would let the order of a list decide."""
        named = self.bundle.verification_material.public_key
        hint = named.hint if named is not None and named.hint else ""
        key = self.trust.hinted(hint)
        if key is None:
            known = ", ".join(known.hint for known in self.trust.signing_keys)
            raise _Failed("key-unknown", known or "a trust root with signing keys", hint)
        if key.revoked_at is not None:
            raise _Failed("key-revoked", found=f"{key.id}, revoked {key.revoked_at.isoformat()}")
        self.key, self.public = key, load_spki(key.spki)
        if algorithm_of(self.public) is not key.algorithm:
            raise UnsupportedKey(f"the list calls it {key.algorithm.value}")
        return True

    def verify_time(self) -> bool:
        """A window with an end needs a time to hold against it, and so does a key that demands one.

        Timestamps are over the signature (RFC 3161); every one that verifies must be in the window.
        """
        data = self.bundle.verification_material.timestamp_verification_data
        given = (data.rfc3161_timestamps or []) if data is not None else []
        needs_time = Demand.TIMESTAMP in self.key.demands or self.key.until is not None
        if not given and not needs_time:
            return False
        if len(given) > _MOST_TIMESTAMPS or len({one.signed_timestamp for one in given}) != len(
            given
        ):
            raise _Failed("no-verified-time", "a few different timestamps", str(len(given)))
        answers = [decode_timestamp_response(one.signed_timestamp) for one in given]
        self.times = [one.tst_info.gen_time for one in answers if self._is_trusted(one)]
        if not self.times:
            raise _Failed("no-verified-time", "a timestamp of the trust root's authorities")
        for time in self.times:
            if time < self.key.since or (self.key.until is not None and time > self.key.until):
                until = self.key.until.isoformat() if self.key.until is not None else "now"
                window = f"{self.key.since.isoformat()} to {until}"
                raise _Failed("time-outside-key", window, time.isoformat())
        return True

    def _is_trusted(self, answer: TimeStampResponse) -> bool:
        return any(
            _vouches(authority, answer, self.envelope.signature)
            for authority in self.root.timestamp_authorities
        )

    def verify_log(self) -> bool:
        entries = self.bundle.verification_material.tlog_entries
        demanded = Demand.LOG in self.key.demands
        if not entries and not demanded:
            return False
        if len(entries) != 1:
            raise _Failed("log-entry-invalid", "one log entry", str(len(entries)))
        self.entry = TransparencyLogEntry(entries[0])
        logs = named_logs(self.root, entries[0].log_id.key_id)
        if trouble := trouble_with_log(entries[0], logs, self.times):
            raise _Failed("log-entry-invalid", found=trouble)
        meant = TrustedRoot(self.root.model_copy(update={"tlogs": logs}))
        self.entry._verify(meant.rekor_keyring(KeyringPurpose.VERIFY))  # noqa: SLF001 - sigstore gives no other way
        return True

    def verify_signature(self) -> bool:
        verify_signature(self.public, self.envelope.signature, self.envelope.pae())
        return True

    def compare_entry(self) -> bool:
        """The entry is about this envelope and this key, to the last member."""
        if not self.bundle.verification_material.tlog_entries:
            return False
        inner = self.entry._inner  # noqa: SLF001 - as above
        found = rekor.entry.Entry.from_json(inner.canonicalized_body)
        if found != expected_body(self.envelope, self.key):
            raise _Failed("log-mismatch", "an entry about this envelope and key")
        return True

    def verified(self) -> VerifiedBundle:
        entries = self.bundle.verification_material.tlog_entries
        proof = entries[0].inclusion_proof if entries else None
        return VerifiedBundle(
            payload_type=self.envelope._inner.payload_type,  # noqa: SLF001 - as above
            payload=self.envelope._inner.payload,  # noqa: SLF001 - as above
            identity="",
            issuer=self.key.issuer,
            extensions={},
            signed_at=max(self.times, default=None),
            log_index=proof.log_index if proof is not None else None,
            log_key_id=entries[0].log_id.key_id.hex() if entries else "",
            key=self.key,
        )


def _vouches(
    authority: trustroot.CertificateAuthority, answer: TimeStampResponse, signature: bytes
) -> bool:
    """Whether this authority, in its time, timestamped the signature."""
    chain = [
        x509.load_der_x509_certificate(one.raw_bytes) for one in authority.cert_chain.certificates
    ]
    if len(chain) < 2:  # noqa: PLR2004 - the authority's own and its root
        return False
    builder = VerifierBuilder().tsa_certificate(chain[0]).add_root_certificate(chain[-1])
    for intermediate in chain[1:-1]:
        builder = builder.add_intermediate_certificate(intermediate)
    try:
        builder.build().verify_message(answer, signature)
    except TimestampError:
        return False
    window, time = authority.valid_for, answer.tst_info.gen_time
    return window.start <= time and (window.end is None or time <= window.end)
