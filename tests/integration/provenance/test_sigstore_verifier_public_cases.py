"""The public conformance cases that concern us, with our verdict on each pinned."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.evidence import Verification

CASES = Path(__file__).resolve().parents[2] / "assets" / "sigstore-conformance"

ACCEPTED = ["happy-path-intoto-in-dsse-v3", "rekor2-dsse-happy-path"]
REFUSED = {
    "dsse-invalid-sig_fail": ("signature", "signature-invalid"),
    "dsse-mismatch-envelope_fail": ("log-consistency", "log-mismatch"),
    "dsse-mismatch-sig_fail": ("log-consistency", "log-mismatch"),
    "rekor2-dsse-invalid-sig_fail": ("signature", "signature-invalid"),
    "rekor2-dsse-mismatch-envelope_fail": ("log-consistency", "log-mismatch"),
    "rekor2-dsse-mismatch-sig_fail": ("log-consistency", "log-mismatch"),
    "bundle-malformed-json_fail": ("bundle", "malformed-bundle"),
    "bundle-unknown-version_fail": ("bundle", "unsupported-bundle"),
}
# Good bundles that this store cannot verify: refused, and told apart from bad ones.
UNSUPPORTED = ["happy-path-v0.3", "intoto-with-custom-trust-root", "managed-key-happy-path"]
BAD_TRUST_ROOT = ["trust-root-tlog-missing-validity-start_fail"]


def verify(case: str) -> Verification:
    folder = CASES / case
    own_root = folder / "trusted_root.json"
    root = own_root if own_root.exists() else CASES / "public-good-prod-trusted_root.json"
    bundle = (folder / "bundle.sigstore.json").read_bytes()
    return SigstoreVerifier().verify(bundle, trust_root=root.read_bytes())


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepts_a_good_case(case: str) -> None:
    verification = verify(case)

    assert verification.verified is not None
    assert len(verification.steps) == 8
    assert all(step.passed for step in verification.steps)


@pytest.mark.parametrize(("case", "expected"), REFUSED.items())
def test_refuses_a_bad_case_at_its_step(case: str, expected: tuple[str, str]) -> None:
    verification = verify(case)

    assert verification.verified is None
    failed = verification.steps[-1]
    assert (failed.name, failed.code) == expected


@pytest.mark.parametrize("case", UNSUPPORTED)
def test_calls_good_cases_of_other_kinds_unsupported(case: str) -> None:
    verification = verify(case)

    assert verification.verified is None
    assert [step.code for step in verification.steps] == ["unsupported-bundle"]


@pytest.mark.parametrize("case", BAD_TRUST_ROOT)
def test_raises_for_a_case_with_a_bad_trust_root(case: str) -> None:
    with pytest.raises(ValidationError):
        verify(case)


def test_covers_every_case_that_is_here() -> None:
    here = {folder.name for folder in CASES.iterdir() if folder.is_dir()}

    assert here == {*ACCEPTED, *REFUSED, *UNSUPPORTED, *BAD_TRUST_ROOT}
