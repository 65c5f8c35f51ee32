"""Trying the signer: what an operator is told, and that nothing is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone

from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.errors import SignerRefused, SignerUnavailable, TrustRootMissing
from provenance.models import Attestation
from provenance.ports import Signed, Signer, SigningJob
from provenance.usecases.attest_builds import Attestor
from provenance.usecases.try_signer import Trial, try_signer
from tests.factories.signing_jobs import statement

pytestmark = pytest.mark.django_db


@dataclass
class Answering:
    """A signer that asks the real one for something else, or says no."""

    real: Signer
    job: dict[str, object]
    refusal: SignerRefused | None = None
    name: str = "answering"

    def sign(self, jobs: Sequence[SigningJob]) -> list[Signed | SignerRefused | SignerUnavailable]:
        if self.refusal is not None:
            return [self.refusal]
        return self.real.sign([replace(job, **self.job) for job in jobs])  # type: ignore[arg-type]  # from a table


@dataclass
class Broken:
    """A signer that answers with something that is no bundle."""

    name: str = "broken"

    def sign(self, jobs: Sequence[SigningJob]) -> list[Signed | SignerRefused | SignerUnavailable]:
        return [Signed(b"{}") for _ in jobs]


def tried(signer: Signer) -> Trial:
    return try_signer(
        signer=signer,
        verifier=SigstoreVerifier(),
        base_url=settings.PUBLIC_URL,
        now=timezone.now(),
    )


def test_tells_what_the_certificate_and_the_log_say(attestor: Attestor) -> None:
    trial = tried(attestor.signer)

    assert trial.verified.issuer == settings.PUBLIC_URL
    assert trial.identity == f"{settings.PUBLIC_URL}/attestors/signer-test/v1"
    assert trial.bundle.startswith(b"{")
    assert not Attestation.objects.exists()


def test_passes_the_signers_refusal_on(attestor: Attestor) -> None:
    signer = Answering(attestor.signer, {}, SignerRefused(reason="service-refused"))

    with pytest.raises(SignerRefused, match="service-refused"):
        tried(signer)


def test_verifies_nothing_without_a_trust_root() -> None:
    with pytest.raises(TrustRootMissing):
        tried(Broken())


def test_names_the_step_that_failed(attestor: Attestor) -> None:  # noqa: ARG001 - its trust root
    with pytest.raises(SignerRefused) as refusal:
        tried(Broken())

    assert refusal.value.facts["reason"] == "malformed-bundle"
    assert refusal.value.facts["step"] == "bundle"


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        ({"identity": "http://store.test/builders/x/y/v1"}, "identity-differs"),
        ({"statement": statement(b"another")}, "statement-differs"),
    ],
)
def test_refuses_a_signer_that_signs_something_else(
    attestor: Attestor, job: dict[str, object], reason: str
) -> None:
    with pytest.raises(SignerRefused) as refusal:
        tried(Answering(attestor.signer, job))

    assert refusal.value.facts["reason"] == reason


def test_refuses_a_signer_of_another_issuer(attestor: Attestor) -> None:
    with pytest.raises(SignerRefused, match="issuer-differs"):
        try_signer(
            signer=Answering(
                attestor.signer, {"identity": "https://other.test/attestors/signer-test/v1"}
            ),
            verifier=SigstoreVerifier(),
            base_url="https://other.test",
            now=timezone.now(),
        )


def test_writes_no_documents_of_an_issuer_without_a_key(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="init_signer"):
        call_command("write_identity_issuer", tmp_path)
