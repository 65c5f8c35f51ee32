"""Fulcio, Rekor and a TSA that answer plausibly and wrong: no row, whatever they say.

Each lie stands beside its twin: the same double that forwards the real answer is believed.
"""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from django.utils import timezone

from provenance.adapters.sigstore_instance.identity_tokens import StoreIdentities
from provenance.models import Attestation, AttestationRequest, RequestState
from provenance.ports import SigningJob
from tests.factories.facts import witnessed
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.doubles import Forward, Lie, double
from tests.factories.private_sigstore.instance import Instance, running_instance
from tests.factories.private_sigstore.issuer import serving_issuer
from tests.factories.private_sigstore.serving import Answer, Request
from tests.factories.private_sigstore.store import Store
from tests.factories.requests import requested

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def strange(sigstore: Sigstore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Another instance that believes the same issuer, with keys of its own."""
    folder = tmp_path_factory.mktemp("strange")
    with running_instance(folder, issuer=sigstore.instance.issuer) as instance:
        yield instance


@pytest.fixture
def store(sigstore: Sigstore, tmp_path: Path) -> Store:
    return Store.create(sigstore, tmp_path)


def honest(request: Request, forward: Forward) -> Answer:
    return forward(request)


def attested_through(store: Store, service: str, lie: Lie) -> AttestationRequest:
    """One build, attested with one service behind a double."""
    request = requested(witnessed())
    with double(getattr(store.attestor.instance, service), lie) as address:
        store.attest(store.signer({service: address}))
    request.refresh_from_db()
    return request


def refused(request: AttestationRequest) -> dict[str, Any]:
    """Why nothing was recorded; the request is tried again later."""
    assert not Attestation.objects.filter(request=request).exists()
    assert request.state == RequestState.PENDING
    assert request.next_attempt_at > timezone.now()
    error: dict[str, Any] = request.last_error or {}
    assert error["code"] == "signer-refused"
    return error


@pytest.mark.parametrize("service", ["fulcio", "rekor", "tsa"])
def test_believes_a_double_that_tells_the_truth(store: Store, service: str) -> None:
    assert attested_through(store, service, honest).state == RequestState.ATTESTED


def job_with(identity: str) -> SigningJob:
    return SigningJob(b"", identity, {})


def token_for(store: Store, identity: str, *, issuer: str = "") -> str:
    """A token that the attestor's own key signs, for somebody else."""
    attestor = store.attestor
    source = StoreIdentities(key_file=attestor.key_file, issuer=issuer or attestor.issuer)
    return source.open()(job_with(identity), timezone.now())


def with_token(request: Request, token: str) -> Request:
    headers = {**request.headers, "Authorization": f"Bearer {token}"}
    return Request(request.path, headers, request.body)


def test_refuses_a_certificate_for_another_key(store: Store) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    pem = csr.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    body = json.dumps({"certificateSigningRequest": base64.b64encode(pem).decode()}).encode()

    request = attested_through(
        store,
        "fulcio",
        lambda asked, forward: forward(Request(asked.path, asked.headers, body)),
    )

    assert refused(request)["reason"] == "certificate-for-another-key"


def test_refuses_a_certificate_for_another_identity(store: Store) -> None:
    other = f"{store.attestor.issuer}/builders/github/hosted-confirmed/v1"
    token = token_for(store, other)

    request = attested_through(
        store, "fulcio", lambda asked, forward: forward(with_token(asked, token))
    )

    assert refused(request)["reason"] == "certificate-for-another-identity"


def test_refuses_a_certificate_of_another_issuer(store: Store) -> None:
    identity = f"{store.attestor.issuer}/builders/github/hosted-unconfirmed/v1"
    elsewhere = store.attestor.instance.other_issuer
    token = token_for(store, identity, issuer=elsewhere)

    with serving_issuer(elsewhere) as issuer:
        issuer.spkis = store.spkis
        request = attested_through(
            store, "fulcio", lambda asked, forward: forward(with_token(asked, token))
        )

    error = refused(request)
    assert error["reason"] == "issuer-mismatch"
    assert error["found"] == elsewhere


def test_refuses_a_certificate_of_another_authority(store: Store, strange: Instance) -> None:
    request = requested(witnessed())

    store.attest(store.signer({"fulcio": strange.fulcio}))

    request.refresh_from_db()
    assert refused(request)["reason"] == "answer-not-verifiable"


def test_refuses_the_entry_of_another_log(store: Store, strange: Instance) -> None:
    request = requested(witnessed())

    store.attest(store.signer({"rekor": strange.rekor}))

    request.refresh_from_db()
    assert refused(request)["reason"] == "log-entry-invalid"


def test_refuses_the_time_of_another_authority(store: Store, strange: Instance) -> None:
    request = requested(witnessed())

    store.attest(store.signer({"tsa": strange.tsa}))

    request.refresh_from_db()
    assert refused(request)["reason"] == "no-verified-time"


def with_changed(request: Request, place: int) -> Request:
    """The question with one byte changed."""
    body = bytearray(request.body)
    body[place] ^= 1
    return Request(request.path, request.headers, bytes(body))


def other_nonce(request: Request, forward: Forward) -> Answer:
    # RFC 3161, section 2.4.1: the nonce, and then `certReq TRUE` in three bytes.
    return forward(with_changed(request, -4))


def other_signature(request: Request, forward: Forward) -> Answer:
    imprint = request.body.index(b"\x04\x20") + 2  # an OCTET STRING of 32 bytes
    return forward(with_changed(request, imprint))


@pytest.mark.parametrize(
    ("lie", "reason"),
    [(other_nonce, "timestamp-for-another-request"), (other_signature, "no-verified-time")],
)
def test_refuses_a_time_that_was_not_asked_for(store: Store, lie: Lie, reason: str) -> None:
    request = attested_through(store, "tsa", lie)

    assert refused(request)["reason"] == reason


class Stale:
    """Answers everybody with what it answered first."""

    def __init__(self) -> None:
        self.first: Answer | None = None

    def __call__(self, request: Request, forward: Forward) -> Answer:
        self.first = self.first or forward(request)
        return self.first


@pytest.mark.parametrize(
    ("service", "reason"),
    [("rekor", "log-mismatch"), ("tsa", "timestamp-for-another-request")],
)
def test_refuses_an_answer_that_was_given_before(store: Store, service: str, reason: str) -> None:
    stale = Stale()

    first = attested_through(store, service, stale)
    second = attested_through(store, service, stale)

    assert first.state == RequestState.ATTESTED
    assert refused(second)["reason"] == reason


def test_refuses_a_certificate_that_was_given_before(store: Store) -> None:
    stale = Stale()

    first = attested_through(store, "fulcio", stale)
    second = attested_through(store, "fulcio", stale)

    assert first.state == RequestState.ATTESTED
    assert refused(second)["reason"] == "certificate-for-another-key"


def other_proof(entry: dict[str, Any], other: dict[str, Any]) -> None:
    entry["inclusionProof"] = other["inclusionProof"]


def other_body(entry: dict[str, Any], other: dict[str, Any]) -> None:
    """The proof of a leaf that is in the log, for a body that is not."""
    entry["inclusionProof"], entry["logIndex"] = other["inclusionProof"], other["logIndex"]


def grown_tree(entry: dict[str, Any], _other: dict[str, Any]) -> None:
    proof = entry["inclusionProof"]
    proof["treeSize"] = str(int(proof["treeSize"]) + 1)


def other_root(entry: dict[str, Any], _other: dict[str, Any]) -> None:
    entry["inclusionProof"]["rootHash"] = base64.b64encode(b"\0" * 32).decode()


def other_checkpoint(entry: dict[str, Any], other: dict[str, Any]) -> None:
    entry["inclusionProof"]["checkpoint"] = other["inclusionProof"]["checkpoint"]


def unsigned_checkpoint(entry: dict[str, Any], _other: dict[str, Any]) -> None:
    checkpoint = entry["inclusionProof"]["checkpoint"]
    checkpoint["envelope"] = checkpoint["envelope"].replace("sigstore.test ", "sigstore.test AAAA")


Edit = Callable[[dict[str, Any], dict[str, Any]], None]


@pytest.mark.parametrize(
    "edit",
    [other_proof, other_body, grown_tree, other_root, other_checkpoint, unsigned_checkpoint],
)
def test_refuses_a_proof_that_does_not_prove_this_entry(store: Store, edit: Edit) -> None:
    answers: list[Answer] = []

    def remembering(request: Request, forward: Forward) -> Answer:
        answers.append(forward(request))
        return answers[-1]

    def lying(request: Request, forward: Forward) -> Answer:
        entry = json.loads(forward(request).content)
        edit(entry, json.loads(answers[0].content))
        return Answer.json(entry)

    assert attested_through(store, "rekor", remembering).state == RequestState.ATTESTED
    request = attested_through(store, "rekor", lying)

    assert refused(request)["reason"] == "log-entry-invalid"


def test_refuses_a_log_that_says_yes_without_a_proof(store: Store) -> None:
    def promising(request: Request, forward: Forward) -> Answer:
        entry = json.loads(forward(request).content)
        del entry["inclusionProof"]
        return Answer.json(entry)

    request = attested_through(store, "rekor", promising)

    assert not Attestation.objects.exists()
    assert request.state == RequestState.PENDING
    assert request.last_error is not None
