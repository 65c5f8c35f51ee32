"""Verify Sigstore bundles offline with sigstore-python, step by step, and always with an answer."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sigstore.errors import VerificationError
from sigstore.models import Bundle, TrustedRoot
from sigstore.verify import Verifier
from sigstore_models.trustroot import v1 as trustroot

from provenance.adapters.fulcio_certificate import CertificateFacts, FulcioProfile
from provenance.adapters.sigstore_failures import STEPS, failed_step, steps_until
from provenance.adapters.trust_windows import named_logs, trouble_with_authority, trouble_with_log
from provenance.adapters.unverified_bundle import Unreadable, read_document, unsupported
from provenance.domain.evidence import Step, StepName, Verification, VerifiedBundle

logger = logging.getLogger(__name__)


class SigstoreVerifier:
    """Verifies DSSE bundles with a Fulcio certificate, in the order of sigstore's own steps."""

    def verify(self, unverified_bundle: bytes, *, trust_root: bytes) -> Verification:
        """See the port. A trust root that cannot be read is an operator's error and raises."""
        root = trustroot.TrustedRoot.from_json(trust_root)
        verifier = Verifier(trusted_root=TrustedRoot(root))  # raises here if it is unusable
        document = read_document(unverified_bundle)
        unreadable = document if isinstance(document, Unreadable) else unsupported(document)
        if unreadable is not None:
            return _refused(
                Step(StepName.BUNDLE, unreadable.code, unreadable.expected, unreadable.found)
            )
        bundle: Bundle | None = None
        try:
            bundle = Bundle.from_json(unverified_bundle)
            return _verify(bundle, root)
        except MemoryError:
            raise  # says something about this process, nothing about the bundle
        except BaseException as error:
            # The bytes are a stranger's, and below are parsers of JSON, DER, ASN.1 and notes that
            # raise ValueError, TypeError, KeyError, OverflowError and classes of their own; one
            # written in Rust may panic, which is no Exception. Whatever it is, the bundle is not
            # verified, and the answer says where.
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise  # Ctrl-C and the like
            failed = failed_step(error)
            if failed.name is StepName.CHAIN and bundle is not None:
                failed = _about_time(failed, bundle, _times(verifier, bundle))
            return _refused(failed)


def _verify(bundle: Bundle, root: trustroot.TrustedRoot) -> Verification:
    """Let sigstore verify, against the one log that the entry names; then check what it omits.

    Raises whatever sigstore raises.
    """
    _ = bundle._dsse_envelope  # noqa: SLF001 - raises now, not at step 7, if signatures are not one
    entry = bundle.log_entry._inner  # noqa: SLF001 - sigstore gives no other way to the entry
    logs = named_logs(root, entry.log_id.key_id)
    meant = root.model_copy(update={"tlogs": logs}) if logs else root
    verifier, profile = Verifier(trusted_root=TrustedRoot(meant)), FulcioProfile()
    payload_type, payload = verifier.verify_dsse(bundle, profile)
    times = _times(verifier, bundle)
    if trouble := trouble_with_authority(bundle, root, times):
        return _refused(Step(StepName.CHAIN, "chain-invalid", found=trouble))
    if trouble := trouble_with_log(bundle, logs, times):
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


def _times(verifier: Verifier, bundle: Bundle) -> list[datetime]:
    return [found.time for found in verifier._establish_time(bundle)]  # noqa: SLF001 - not returned


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


def _refused(failed: Step) -> Verification:
    logger.info("bundle refused", extra={"step": failed.name, "code": failed.code})
    return Verification(steps_until(failed))
