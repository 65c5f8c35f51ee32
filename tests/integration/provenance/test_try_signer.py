"""Trying the signer: what an operator is told, and that nothing is recorded."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings
from django.utils import timezone

from config.settings.managed_key import ManagedKey
from provenance import wiring
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.evidence import Verification
from provenance.domain.transparency import DEFAULT, Transparency
from provenance.errors import SignerRefused, SignerUnavailable, TrustRootMissing
from provenance.models import Attestation
from provenance.ports import Signed, Signer, SigningJob
from provenance.queries import signing_keys, trust_state
from provenance.usecases.attest_builds import Attestor
from provenance.usecases.try_signer import Trial, try_signer
from tests.factories.managed_keys import key_in
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.signing_jobs import STORE, statement

pytestmark = pytest.mark.django_db


@dataclass
class Answering:
    """A signer that asks the real one for something else, or says no."""

    real: Signer
    job: dict[str, object]
    refusal: SignerRefused | None = None
    name: str = "answering"
    batches_at_once: int = 1

    def sign(self, jobs: Sequence[SigningJob]) -> list[Signed | SignerRefused | SignerUnavailable]:
        if self.refusal is not None:
            return [self.refusal]
        return self.real.sign([replace(job, **self.job) for job in jobs])  # type: ignore[arg-type]  # from a table


@dataclass
class Broken:
    """A signer that answers with something that is no bundle."""

    name: str = "broken"
    batches_at_once: int = 1

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


@dataclass
class Late:
    """Verifies as always, at a time that is not ours."""

    off: timedelta

    def verify(self, unverified_bundle: bytes, *, trust_root: bytes) -> Verification:
        found = SigstoreVerifier().verify(unverified_bundle, trust_root=trust_root)
        assert found.verified is not None
        assert found.verified.signed_at is not None
        signed_at = found.verified.signed_at + self.off
        return replace(found, verified=replace(found.verified, signed_at=signed_at))


@pytest.mark.parametrize("off", [timedelta(minutes=-3), timedelta(minutes=3)])
def test_says_that_a_clock_is_wrong(attestor: Attestor, off: timedelta) -> None:
    assert tried(attestor.signer).verified.signed_at

    with pytest.raises(SignerUnavailable, match="clock-differs"):
        try_signer(
            signer=attestor.signer,
            verifier=Late(off),
            base_url=settings.PUBLIC_URL,
            now=timezone.now(),
        )


@contextmanager
def uncached_signers() -> Iterator[None]:
    """Signers that are wired anew, and not kept for the next test."""
    for cached in (wiring.signer, wiring.signers_elsewhere):
        cached.cache_clear()
    try:
        yield
    finally:
        for cached in (wiring.signer, wiring.signers_elsewhere):
            cached.cache_clear()


@pytest.fixture
def managed(tmp_path: Path) -> Iterator[Path]:
    """The worker of a store with a key in a file; its file."""
    uri = key_in(tmp_path)
    managed = ManagedKey(uri, None, (), None)
    with override_settings(SIGNER="key", MANAGED_KEY=managed), uncached_signers():
        yield Path(uri.removeprefix("file:"))


@pytest.fixture
def timestamped(sigstore: Sigstore, tmp_path: Path) -> Iterator[ManagedKey]:
    """The same with a timestamp authority."""
    instance = sigstore.instance
    key = ManagedKey(key_in(tmp_path), None, (f"{instance.tsa}/api/v1/timestamp",), None)
    described = replace(settings.SIGSTORE.described, trusted_root=instance.trusted_root)
    with (
        override_settings(
            SIGNER="key",
            MANAGED_KEY=key,
            SIGSTORE=replace(settings.SIGSTORE, described=described),
            PUBLIC_URL=STORE,
        ),
        uncached_signers(),
    ):
        yield key


def told() -> tuple[int, str]:
    """What `manage.py test_signer` says, and the status it ends with."""
    output = io.StringIO()
    try:
        call_command("test_signer", stdout=output)
    except CommandError as error:
        return error.returncode, output.getvalue() + str(error)
    return 0, output.getvalue()


def test_shows_the_key_and_each_step(managed: Path) -> None:
    unpublished = told()
    call_command("init_signer", stdout=io.StringIO())

    status, text = told()

    assert (unpublished[0], "NOT listed" in unpublished[1]) == (3, True)
    assert status == 0
    for line in (f"key: file {managed}, mode 600", "PKIX_ECDSA_P256_SHA_256", "listed in trust"):
        assert line in text
    assert [line.strip() for line in text.splitlines() if "verified:" in line] == [
        "verified: bundle",
        "verified: key",
        "verified: signature",
    ]
    assert "nobody vouches for a time" in text


def test_tries_what_is_recorded_in_no_log(timestamped: ManagedKey) -> None:
    call_command("init_signer", stdout=io.StringIO())

    status, text = told()

    assert status == 0
    assert wiring.offered_transparencies() == {DEFAULT, Transparency.TIMESTAMP_ONLY}
    for choice in wiring.offered_transparencies():
        assert f"for projects that choose: {choice.value}" in text
    assert text.count("verified: time") == len(wiring.offered_transparencies())
    assert timestamped.log is None
    assert "log entry: none" in text


def test_offers_no_way_around_a_log_that_the_key_demands(timestamped: ManagedKey) -> None:
    logged = replace(timestamped, log="http://127.0.0.1:9")

    with override_settings(MANAGED_KEY=logged), uncached_signers():
        assert wiring.offered_transparencies() == {DEFAULT}


def test_ends_with_another_status_for_each_kind_of_failure(managed: Path) -> None:
    call_command("init_signer", stdout=io.StringIO())
    managed.chmod(0o644)
    exposed = told()
    managed.unlink()
    key_in(managed.parent)  # in its place, another key
    unlisted = told()

    assert (exposed[0], "exposed-key-file" in exposed[1], "mode 0644" in exposed[1]) == (
        1,
        True,
        True,
    )
    assert (unlisted[0], "key-unknown" in unlisted[1], "NOT listed" in unlisted[1]) == (
        2,
        True,
        True,
    )


def test_ends_and_revokes_keys_by_command(managed: Path) -> None:
    call_command("init_signer", stdout=io.StringIO())
    (key,) = signing_keys(version=trust_state().trust_root_version)

    with pytest.raises(CommandError, match="signing-key-without-time"):
        call_command("end_signing_key", key.id)
    with pytest.raises(CommandError, match="no-such-signing-key"):
        call_command("revoke_signing_key", "00")
    call_command("revoke_signing_key", key.id, stdout=io.StringIO())

    assert told()[0] == 2
    assert managed.exists()
