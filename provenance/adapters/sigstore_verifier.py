"""Verify Sigstore bundles offline with sigstore-python, step by step, and always with an answer."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from sigstore._internal.timestamp import TimestampVerificationResult
from sigstore.errors import VerificationError
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore_models.trustroot import v1 as trustroot

from provenance.adapters.fulcio_certificate import CertificateFacts, FulcioProfile
from provenance.adapters.keyed_bundle import verify_keyed
from provenance.adapters.sigstore_failures import (
    STEPS,
    failed_step,
    may_be_the_bytes_fault,
    steps_until,
)
from provenance.adapters.trust_windows import named_logs, trouble_with_authority, trouble_with_log
from provenance.adapters.unverified_bundle import Unreadable, is_keyed, read_document, unsupported
from provenance.domain.evidence import Step, StepName, Verification, VerifiedBundle
from provenance.domain.trust_document import TrustDocument, read_trust_document

logger = logging.getLogger(__name__)


class SigstoreVerifier:
    """Verifies DSSE bundles of certificates, in the order of sigstore's own steps, and of keys."""

    def verify(self, unverified_bundle: bytes, *, trust_root: bytes) -> Verification:
        """See the port. A trust root that cannot be read is an operator's error and raises."""
        trust = _read_trust(trust_root)
        document = read_document(unverified_bundle)
        if isinstance(document, Unreadable):
            return _unreadable(document)
        if (unknown := unsupported(document)) is not None:
            return _unreadable(unknown)
        if is_keyed(document):
            return verify_keyed(unverified_bundle, trust.document)
        if not trust.has_authorities:
            return _unreadable(Unreadable("unsupported-bundle", "a managed key", "a certificate"))
        return _certified(unverified_bundle, trust.root)


@dataclass(frozen=True, slots=True)
class _Trust:
    """A trust root that was read; shared, and never written to."""

    document: TrustDocument
    root: trustroot.TrustedRoot

    @property
    def has_authorities(self) -> bool:
        return bool(self.root.certificate_authorities and self.root.tlogs)


# A batch is verified against one root. Whoever gives other bytes has them read; what cannot be
# used is not kept.
@lru_cache(maxsize=8)
def _read_trust(content: bytes) -> _Trust:
    document = read_trust_document(content)
    trust = _Trust(document, trustroot.TrustedRoot.from_json(document.trusted_root))
    if trust.has_authorities or not document.signing_keys:
        Verifier(trusted_root=TrustedRoot(trust.root))  # raises here if it is unusable
    return trust


class _Timekeeper(Verifier):
    """Sigstore's verifier of one bundle, which remembers the times that it has verified."""

    times: Sequence[datetime] = ()

    def establish_times(self, bundle: Bundle) -> None:
        """Verify the times alone."""
        self._establish_time(bundle)

    def _establish_time(self, bundle: Bundle) -> list[TimestampVerificationResult]:
        found = super()._establish_time(bundle)
        self.times = [result.time for result in found]
        return found


def _certified(unverified: bytes, root: trustroot.TrustedRoot) -> Verification:
    bundle: Bundle | None = None
    try:
        bundle = Bundle.from_json(unverified)
        return _verify(bundle, root)
    except BaseException as error:
        # Whatever it is, the bundle is not verified, and the answer says where.
        if not may_be_the_bytes_fault(error):
            raise
        failed = failed_step(error)
        if failed.name is StepName.CHAIN and bundle is not None:
            timekeeper = _Timekeeper(trusted_root=TrustedRoot(root))
            timekeeper.establish_times(bundle)
            failed = _about_time(failed, bundle, timekeeper.times)
        return _refused(failed)


def _verify(bundle: Bundle, root: trustroot.TrustedRoot) -> Verification:
    """Let sigstore verify, against the one log that the entry names; then check what it omits.

    Raises whatever sigstore raises.
    """
    _ = bundle._dsse_envelope  # noqa: SLF001 - raises now, not at step 7, if signatures are not one
    entry = bundle.log_entry._inner  # noqa: SLF001 - sigstore gives no other way to the entry
    logs = named_logs(root, entry.log_id.key_id)
    meant = root.model_copy(update={"tlogs": logs}) if logs else root
    verifier, profile = _Timekeeper(trusted_root=TrustedRoot(meant)), FulcioProfile()
    payload_type, payload = verifier.verify_dsse(bundle, profile)
    times = verifier.times
    if trouble := trouble_with_authority(bundle, root, times):
        return _refused(Step(StepName.CHAIN, "chain-invalid", found=trouble))
    if trouble := trouble_with_log(entry, logs, times):
        return _refused(Step(StepName.LOG, "log-entry-invalid", found=trouble))
    certificate = _facts(profile)
    return Verification(
        tuple(map(Step, STEPS)),
        VerifiedBundle(
            payload_type=payload_type,
            payload=payload,
            identity=certificate.identity,
            issuer=certificate.issuer,
            extensions=certificate.extensions,
            # The latest: never an earlier time than every source vouches for.
            signed_at=max(times),
            # The index beside the promise is only signed where there is a promise.
            log_index=(entry if entry.inclusion_promise else entry.inclusion_proof).log_index,
            log_key_id=entry.log_id.key_id.hex(),
        ),
    )


def _facts(profile: FulcioProfile) -> CertificateFacts:
    if profile.facts is None:  # sigstore did not ask the policy
        raise VerificationError("the certificate's profile was not verified")
    return profile.facts


def _about_time(failed: Step, bundle: Bundle, times: Sequence[datetime]) -> Step:
    """Tell a certificate used out of its ten minutes from one of a strange authority."""
    leaf = bundle.signing_certificate
    start, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    for time in times:
        if not start <= time <= end:
            return replace(
                failed,
                code="time-outside-certificate",
                expected=f"{start.isoformat()} to {end.isoformat()}",
                found=time.isoformat(),
            )
    return failed


def _unreadable(found: Unreadable) -> Verification:
    return _refused(Step(StepName.BUNDLE, found.code, found.expected, found.found))


def _refused(failed: Step) -> Verification:
    logger.info("bundle refused", extra={"step": failed.name, "code": failed.code})
    return Verification(steps_until(failed))
