"""Every Signer: one answer a job, in order, each verifiable and about that very job."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.trust_root import trusted_root
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.evidence import VerifiedBundle
from provenance.domain.transparency import Transparency
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.ports import Signed, Signer, SigningJob
from tests.factories.managed_keys import KeyStore, key_in
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.signing_jobs import IDENTITY, STORE, created_keys, job, key_file, statement

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Case:
    """A signer, what verifies its bundles, and the issuer that they name."""

    signer: Signer
    trust_root: bytes
    issuer: str

    def sign(self, *jobs: SigningJob) -> list[Signed | SignerRefused | SignerUnavailable]:
        return self.signer.sign(jobs)

    def verified(self, answer: Signed | SignerRefused | SignerUnavailable) -> VerifiedBundle:
        assert isinstance(answer, Signed), answer
        found = SigstoreVerifier().verify(answer.bundle, trust_root=self.trust_root)
        assert found.verified is not None, found.steps[-1]
        return found.verified


Make = Callable[[pytest.FixtureRequest, Path], Case]


def embedded(_request: pytest.FixtureRequest, folder: Path) -> Case:
    signer = EmbeddedSigner(key_file=created_keys(folder), issuer=STORE)
    return Case(signer, trusted_root(), STORE)


def sigstore(request: pytest.FixtureRequest, folder: Path) -> Case:
    instance = request.getfixturevalue("sigstore")
    assert isinstance(instance, Sigstore)
    attestor = instance.attestor(folder)
    return Case(attestor.signer(), attestor.keys.trusted_root(), attestor.issuer)


def key(_request: pytest.FixtureRequest, folder: Path) -> Case:
    store = KeyStore(key_in(folder))
    return Case(store.signer(), store.document.to_json(), STORE)


def witnessed_key(request: pytest.FixtureRequest, folder: Path) -> Case:
    instance = request.getfixturevalue("sigstore")
    assert isinstance(instance, Sigstore)
    store = KeyStore(key_in(folder), instance.instance)
    return Case(store.signer(), store.document.to_json(), STORE)


def timestamped_key(request: pytest.FixtureRequest, folder: Path) -> Case:
    instance = request.getfixturevalue("sigstore")
    assert isinstance(instance, Sigstore)
    store = KeyStore(key_in(folder), instance.instance, has_log=False)
    return Case(store.signer(), store.document.to_json(), STORE)


@pytest.fixture(params=[embedded, sigstore])
def certifying(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    make: Make = request.param
    return make(request, tmp_path)


@pytest.fixture(params=[embedded, sigstore, key, witnessed_key, timestamped_key])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    make: Make = request.param
    return make(request, tmp_path)


def test_answers_every_job_in_order(case: Case) -> None:
    jobs = [job(number) for number in range(70)]  # more than two batches of the embedded signer

    answers = case.sign(*jobs)

    assert [case.verified(answer).payload for answer in answers] == [one.statement for one in jobs]


def test_answers_nothing_to_nothing(case: Case) -> None:
    assert case.sign() == []


def test_certifies_the_identity_and_claims_of_the_job(certifying: Case) -> None:
    release = f"{STORE}/attestors/release/v1"

    built, released = certifying.sign(job(), job(identity=release))

    assert (
        certifying.verified(built).identity == certifying.verified(built).extensions[9] == IDENTITY
    )
    assert (
        certifying.verified(released).identity
        == certifying.verified(released).extensions[9]
        == release
    )
    assert certifying.verified(built).issuer == certifying.issuer
    assert certifying.verified(built).extensions[12] == "https://github.com/acme/widget"


def test_leaves_empty_claims_out(certifying: Case) -> None:
    (answer,) = certifying.sign(job())

    assert 22 not in certifying.verified(answer).extensions


def test_signs_the_same_statement_again(case: Case) -> None:
    first, second = (case.verified(answer) for answer in case.sign(job(), job()))

    assert first.payload == second.payload
    assert first.log_index is None or first.log_index != second.log_index


@pytest.mark.parametrize(
    "bad",
    [
        replace(job(), statement=b"not a statement"),
        replace(job(), statement=statement(b"x").replace(b"Statement/v1", b"Statement/v9")),
        replace(job(), identity="https://store.test/b\u00fcilder"),
    ],
    ids=["no-statement", "newer-statement", "identity-of-another-store"],
)
def test_refuses_one_bad_job_without_hurting_the_others(case: Case, bad: SigningJob) -> None:
    before, refused, after = case.sign(job(1), bad, job(2))

    assert isinstance(refused, SignerRefused)
    assert case.verified(before).payload == job(1).statement
    assert case.verified(after).payload == job(2).statement


@pytest.mark.parametrize("make", [embedded, sigstore, key, witnessed_key, timestamped_key])
@pytest.mark.parametrize("elsewhere", [Transparency.PUBLIC_LOG, Transparency.TIMESTAMP_ONLY])
def test_signs_only_what_may_be_recorded_where_it_records(
    request: pytest.FixtureRequest, tmp_path: Path, make: Make, elsewhere: Transparency
) -> None:
    case = make(request, tmp_path)

    privately, other = case.sign(job(1), replace(job(2), transparency=elsewhere))

    assert case.verified(privately).payload == job(1).statement
    if (make, elsewhere) == (timestamped_key, Transparency.TIMESTAMP_ONLY):
        assert case.verified(other).log_index is None
        assert case.verified(other).signed_at is not None
    else:
        assert isinstance(other, SignerRefused)
        assert other.facts["reason"] == "transparency-differs"
        assert other.facts["expected"] == elsewhere.value


def embedded_without_its_keys(_request: pytest.FixtureRequest, folder: Path) -> Signer:
    created_keys(folder)
    return EmbeddedSigner(key_file=key_file(folder, "another-key"), issuer=STORE)


def sigstore_without_its_key(request: pytest.FixtureRequest, folder: Path) -> Signer:
    instance = request.getfixturevalue("sigstore")
    assert isinstance(instance, Sigstore)
    attestor = instance.attestor(folder)
    return replace(attestor, key_file=key_file(folder, "another-key")).signer()


def key_without_its_file(_request: pytest.FixtureRequest, folder: Path) -> Signer:
    return KeyStore(f"file:{folder}/nowhere.pem").signer()


@pytest.mark.parametrize(
    "unavailable", [embedded_without_its_keys, sigstore_without_its_key, key_without_its_file]
)
def test_raises_when_nothing_can_be_signed(
    unavailable: Callable[[pytest.FixtureRequest, Path], Signer],
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    signer = unavailable(request, tmp_path)

    with pytest.raises(SignerUnavailable):
        signer.sign([job(1), job(2)])


@pytest.mark.parametrize(
    "claims", [{9: "https://elsewhere.test/builder"}, {8: "https://elsewhere.test"}]
)
def test_certifies_no_identity_or_issuer_that_a_claim_names(
    certifying: Case, claims: dict[int, str]
) -> None:
    (refused,) = certifying.sign(replace(job(), claims=claims))[:1]

    assert isinstance(refused, SignerRefused)
