"""Which step of a verification failed: where in sigstore it was raised, as a table.

sigstore-python answers with one exception class and prose, and on hostile bytes also with
whatever its parsers raise. What holds still is the function that was at work, so that is what
is looked up, through re-raised exceptions too. The steps are those that are numbered in
sigstore.verify.verifier; the signature is its step 7, after the log.
"""

from collections.abc import Iterator
from traceback import walk_tb
from typing import Final

from provenance.domain.evidence import Step, StepName

STEPS: Final = (
    StepName.BUNDLE,
    StepName.TIME,
    StepName.CHAIN,
    StepName.SCT,
    StepName.CERTIFICATE,
    StepName.LOG,
    StepName.SIGNATURE,
    StepName.LOG_CONSISTENCY,
)

# What sigstore says where one of its functions does several steps. Looked at first.
_SAID: Final = (
    ("bundle must contain an inclusion promise or", StepName.TIME, "no-verified-time"),
    ("not enough sources of verified time", StepName.TIME, "no-verified-time"),
    ("Key usage is not of type", StepName.CERTIFICATE, "certificate-invalid"),
    ("Extended usage does not contain", StepName.CERTIFICATE, "certificate-invalid"),
    ("No <class 'cryptography.x509", StepName.CERTIFICATE, "certificate-invalid"),
    ("invalid signing cert: expired", StepName.CHAIN, "time-outside-certificate"),
)

# The function that raised, or in which something raised.
_VERIFIER: Final = "sigstore.verify.verifier"
_RAISED_IN: Final = (
    ("sigstore.models.TimestampVerificationData._verify", StepName.TIME, "no-verified-time"),
    ("sigstore.models.Bundle.from_json", StepName.BUNDLE, "malformed-bundle"),
    ("sigstore.dsse.Envelope._verify", StepName.BUNDLE, "malformed-bundle"),
    (f"{_VERIFIER}.Verifier._establish_time", StepName.TIME, "no-verified-time"),
    (f"{_VERIFIER}.Verifier._verify_chain_at_time", StepName.CHAIN, "chain-invalid"),
    ("sigstore._internal.sct.verify_sct", StepName.SCT, "sct-invalid"),
    (
        "provenance.adapters.fulcio_certificate.FulcioProfile.verify",
        StepName.CERTIFICATE,
        "certificate-invalid",
    ),
    ("sigstore.models.TransparencyLogEntry._verify", StepName.LOG, "log-entry-invalid"),
    ("sigstore.dsse._verify", StepName.SIGNATURE, "signature-invalid"),
    (f"{_VERIFIER}._validate_dsse_v001_entry_body", StepName.LOG_CONSISTENCY, "log-mismatch"),
    (
        f"{_VERIFIER}._validate_hashedrekord_v002_dsse_entry_body",
        StepName.LOG_CONSISTENCY,
        "log-mismatch",
    ),
)


def failed_step(error: BaseException) -> Step:
    """The step at which this exception ended the verification.

    One that the tables do not know counts as a malformed bundle: nothing is said to have passed.
    """
    found = f"{type(error).__name__}: {error}"[:300]
    for said, name, code in _SAID:
        if str(error).startswith(said):
            return Step(name, code, found=found)
    places = set(_places(error))
    for place, name, code in _RAISED_IN:
        if place in places:
            return Step(name, code, found=found)
    return Step(StepName.BUNDLE, "malformed-bundle", found=found)


def may_be_the_bytes_fault(error: BaseException) -> bool:
    """Whether an exception may come of a stranger's bytes, and not of this process.

    Below are parsers of JSON, DER, ASN.1 and notes that raise ValueError, TypeError, KeyError,
    OverflowError and classes of their own; one written in Rust may panic, which is no Exception.
    """
    if isinstance(error, MemoryError):
        return False
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"


def steps_until(failed: Step) -> tuple[Step, ...]:
    """Every step before the failed one, passed, and the failed one."""
    return (*map(Step, STEPS[: STEPS.index(failed.name)]), failed)


def _places(error: BaseException) -> Iterator[str]:
    """Every function that the exception went through, and those that led to it."""
    current: BaseException | None = error
    while current is not None:
        for frame, _ in walk_tb(current.__traceback__):
            yield f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}"
        current = current.__cause__ or current.__context__
