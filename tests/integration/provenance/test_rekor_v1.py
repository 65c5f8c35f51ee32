"""Signing with a Rekor of the first version, as a double of its API answers; and as a liar does."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from provenance.adapters.sigstore_instance.configuration import InstanceFiles
from provenance.adapters.sigstore_instance.signer_keys import SigstoreInstanceKeys
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.models import Attestation, AttestationRequest, RequestState
from provenance.queries import trust_root, trust_state
from provenance.usecases.initialise_signer import initialise_signer
from tests.factories.facts import witnessed
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.doubles import double
from tests.factories.private_sigstore.rekor_v1 import (
    EARLIER_SHARDS,
    RekorV1,
    described_with,
    running_rekor_v1,
)
from tests.factories.private_sigstore.serving import Answer
from tests.factories.private_sigstore.store import OPERATOR, Store
from tests.factories.requests import requested

pytestmark = pytest.mark.django_db


@dataclass
class OldStore:
    """A store whose instance has a Rekor v1 and no timestamp authority."""

    store: Store
    log: RekorV1
    url: str
    folder: Path

    def attested(self, *, url: str = "", with_time: bool = False) -> AttestationRequest:
        """One build, signed with the log at this address."""
        request = requested(witnessed())
        instance = self.store.attestor.instance
        files = described_with(
            instance, self.log, url or self.url, self.folder, with_time=with_time
        )
        self.store.attest(self.store.attestor.signer(files=InstanceFiles(*files)))
        request.refresh_from_db()
        return request


@pytest.fixture
def old(sigstore: Sigstore, tmp_path: Path) -> Iterator[OldStore]:
    with running_rekor_v1() as (log, url):
        store = Store.create(sigstore, tmp_path)
        files = InstanceFiles(*described_with(store.attestor.instance, log, url, tmp_path))
        keys = SigstoreInstanceKeys(
            files=files, key_file=store.attestor.key_file, has_own_issuer=True
        )
        initialise_signer(keys=keys, actor=OPERATOR, now=timezone.now())
        yield OldStore(store, log, url, tmp_path)


def test_signs_with_the_time_that_the_log_promises(old: OldStore) -> None:
    before = timezone.now()

    requests = [old.attested() for _ in range(5)]

    assert {request.state for request in requests} == {RequestState.ATTESTED}
    bundle = Attestation.objects.get(request=requests[-1]).kept_bundle
    root = trust_root(version=trust_state().trust_root_version)
    verified = SigstoreVerifier().verify(bundle, trust_root=root).verified
    assert verified is not None
    assert verified.log_index == EARLIER_SHARDS + 4
    assert verified.log_key_id == old.log.key.log_id.hex()
    assert verified.signed_at is not None
    assert verified.signed_at >= before.replace(microsecond=0)
    material = json.loads(bundle)["verificationMaterial"]
    assert not material.get("timestampVerificationData", {}).get("rfc3161Timestamps")


def test_takes_a_timestamp_too_where_there_is_an_authority(old: OldStore) -> None:
    request = old.attested(with_time=True)

    material = json.loads(Attestation.objects.get(request=request).kept_bundle)
    stamps = material["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"]
    assert len(stamps) == 1


def test_keeps_the_statement_out_of_the_log(old: OldStore) -> None:
    request = old.attested()

    statement = bytes(request.statement or b"")
    (entry,) = old.log.entries
    assert statement
    assert base64.b64encode(statement) not in entry
    assert set(json.loads(entry)["spec"]) == {"envelopeHash", "payloadHash", "signatures"}


Edit = Callable[[dict[str, Any], dict[str, Any]], None]


def proof(entry: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = entry["verification"]["inclusionProof"]
    return found


def no_promise(entry: dict[str, Any], _other: dict[str, Any]) -> None:
    entry["verification"]["signedEntryTimestamp"] = ""


def other_promise(entry: dict[str, Any], other: dict[str, Any]) -> None:
    promise = other["verification"]["signedEntryTimestamp"]
    entry["verification"]["signedEntryTimestamp"] = promise


def other_time(entry: dict[str, Any], _other: dict[str, Any]) -> None:
    entry["integratedTime"] -= 60


def other_index(entry: dict[str, Any], _other: dict[str, Any]) -> None:
    entry["logIndex"] += 1


def other_log(entry: dict[str, Any], _other: dict[str, Any]) -> None:
    entry["logID"] = "00" * 32


def other_body(entry: dict[str, Any], other: dict[str, Any]) -> None:
    entry["body"] = other["body"]


def other_proof(entry: dict[str, Any], other: dict[str, Any]) -> None:
    entry["verification"]["inclusionProof"] = other["verification"]["inclusionProof"]


def other_root(entry: dict[str, Any], _other: dict[str, Any]) -> None:
    proof(entry)["rootHash"] = "00" * 32


def other_checkpoint(entry: dict[str, Any], other: dict[str, Any]) -> None:
    proof(entry)["checkpoint"] = proof(other)["checkpoint"]


def unsigned_checkpoint(entry: dict[str, Any], _other: dict[str, Any]) -> None:
    proof(entry)["checkpoint"] = proof(entry)["checkpoint"].replace("sigstore.test ", "x.test ")


def grown_tree(entry: dict[str, Any], _other: dict[str, Any]) -> None:
    proof(entry)["treeSize"] += 1


def no_proof(entry: dict[str, Any], _other: dict[str, Any]) -> None:
    del entry["verification"]["inclusionProof"]


EDITS = [
    no_promise,
    other_promise,
    other_time,
    other_index,
    other_log,
    other_body,
    other_proof,
    other_root,
    other_checkpoint,
    unsigned_checkpoint,
    grown_tree,
    no_proof,
]


@pytest.mark.parametrize("edit", EDITS)
def test_records_nothing_that_a_lying_log_says(old: OldStore, edit: Edit) -> None:
    """Whatever one member says that another does not bear out."""
    answers: list[dict[str, Any]] = []

    def remember(request: Any, forward: Any) -> Answer:
        given = forward(request)
        answers.append(next(iter(json.loads(given.content).values())))
        return Answer(given.content, given.status)

    def lie(request: Any, forward: Any) -> Answer:
        given = json.loads(forward(request).content)
        edit(next(iter(given.values())), answers[0])
        return Answer.json(given, 201)

    with double(old.url, remember) as address:
        assert old.attested(url=address).state == RequestState.ATTESTED
    with double(old.url, lie) as address:
        request = old.attested(url=address)

    assert request.state == RequestState.PENDING
    assert not Attestation.objects.filter(request=request).exists()
    assert request.last_error is not None


def two_entries(content: bytes) -> bytes:
    document = json.loads(content)
    (entry,) = document.values()
    return json.dumps({**document, "another": entry}).encode()


@pytest.mark.parametrize(
    "change",
    [
        two_entries,
        lambda _content: b"{}",
        lambda _content: b"[]",
        lambda content: content[:100],
        lambda content: content.replace(b'"body": "', b'"body": "AAAA'),
    ],
    ids=["two", "none", "a list", "cut off", "no entry"],
)
def test_waits_after_an_answer_that_cannot_be_read(
    old: OldStore, change: Callable[[bytes], bytes]
) -> None:
    with double(old.url, lambda asked, real: Answer(change(real(asked).content), 201)) as address:
        request = old.attested(url=address)

    assert (request.last_error or {})["code"] == "signer-unavailable"
    assert (request.last_error or {})["reason"] == "unreadable-answer"


def test_takes_no_entry_of_a_log_that_nobody_trusts(old: OldStore) -> None:
    with running_rekor_v1() as (_other, url):
        request = old.attested(url=url)

    assert request.state == RequestState.PENDING


def test_says_what_the_log_refuses(old: OldStore) -> None:
    """An equivalent entry exists: the log says so, and nothing is taken for an answer."""

    def twice(request: Any, forward: Any) -> Answer:
        forward(request)
        return forward(request)  # type: ignore[no-any-return]  # an Answer

    with double(old.url, twice) as address:
        request = old.attested(url=address)

    error = request.last_error or {}
    assert (error["code"], error["reason"]) == ("signer-refused", "service-refused")
    assert (error["service"], error["status"]) == ("rekor", "409")
