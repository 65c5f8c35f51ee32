"""Every Signer: one answer a job, in order, each verifiable and about that very job."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from provenance.adapters.embedded.signer import EmbeddedSigner
from provenance.adapters.embedded.trust_root import trusted_root
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.evidence import VerifiedBundle
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.ports import Signed, Signer
from tests.factories.signing_jobs import IDENTITY, STORE, created_keys, job, key_file, statement

pytestmark = pytest.mark.django_db


def embedded(folder: Path) -> Signer:
    return EmbeddedSigner(key_file=created_keys(folder), issuer=STORE)


def embedded_without_its_keys(folder: Path) -> Signer:
    created_keys(folder)
    return EmbeddedSigner(key_file=key_file(folder, "another-key"), issuer=STORE)


@pytest.fixture(params=[embedded])
def signer(request: pytest.FixtureRequest, tmp_path: Path) -> Signer:
    make: Callable[[Path], Signer] = request.param
    return make(tmp_path)


def verified(answer: Signed | SignerRefused | SignerUnavailable) -> VerifiedBundle:
    assert isinstance(answer, Signed), answer
    found = SigstoreVerifier().verify(answer.bundle, trust_root=trusted_root()).verified
    assert found is not None
    return found


def test_answers_every_job_in_order(signer: Signer) -> None:
    jobs = [job(number) for number in range(70)]  # more than two batches of the embedded signer

    answers = signer.sign(jobs)

    assert [verified(answer).payload for answer in answers] == [one.statement for one in jobs]


def test_answers_nothing_to_nothing(signer: Signer) -> None:
    assert signer.sign([]) == []


def test_certifies_the_identity_and_claims_of_the_job(signer: Signer) -> None:
    release = f"{STORE}/attestors/release/v1"

    built, released = signer.sign([job(), job(identity=release)])

    assert verified(built).identity == verified(built).extensions[9] == IDENTITY
    assert verified(released).identity == verified(released).extensions[9] == release
    assert verified(built).issuer == STORE
    assert verified(built).extensions[12] == "https://github.com/acme/widget"


def test_leaves_empty_claims_out(signer: Signer) -> None:
    (answer,) = signer.sign([job()])

    assert 22 not in verified(answer).extensions


def test_signs_the_same_statement_again(signer: Signer) -> None:
    first, second = (verified(answer) for answer in signer.sign([job(), job()]))

    assert first.payload == second.payload
    assert first.log_index != second.log_index


@pytest.mark.parametrize(
    "bad",
    [
        replace(job(), statement=b"not a statement"),
        replace(job(), statement=statement(b"x").replace(b"Statement/v1", b"Statement/v9")),
        replace(job(), identity="https://store.test/b\u00fcilder"),
        replace(job(), claims={9: "https://elsewhere.test/builder"}),
        replace(job(), claims={8: "https://elsewhere.test"}),
    ],
    ids=["no-statement", "newer-statement", "identity-not-ascii", "own-identity", "own-issuer"],
)
def test_refuses_one_bad_job_without_hurting_the_others(signer: Signer, bad: object) -> None:
    before, refused, after = signer.sign([job(1), bad, job(2)])  # type: ignore[list-item]  # from a table

    assert isinstance(refused, SignerRefused)
    assert verified(before).payload == job(1).statement
    assert verified(after).payload == job(2).statement


@pytest.mark.parametrize("unavailable", [embedded_without_its_keys])
def test_raises_when_nothing_can_be_signed(
    unavailable: Callable[[Path], Signer], tmp_path: Path
) -> None:
    with pytest.raises(SignerUnavailable):
        unavailable(tmp_path).sign([job(1), job(2)])
