"""A store that signs with a managed key: what it records, what it refuses, and how keys change."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from provenance.adapters.embedded.signer_keys import EmbeddedSignerKeys
from provenance.adapters.managed_key.holders import KeyHolder
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.evidence import Expected, Verification, examine
from provenance.domain.signing_keys import SigningKeyWithoutTime, public_pem
from provenance.domain.transparency import Transparency
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.models import Attestation, AttestationRequest, RequestState
from provenance.ports import Signed, SigningJob
from provenance.queries import signing_keys, trust_root, trust_state
from provenance.usecases.end_signing_key import end_signing_key
from provenance.usecases.initialise_signer import initialise_signer
from provenance.usecases.revoke_signing_key import revoke_signing_key
from tests.factories.managed_keys import KeyStore, key_in
from tests.factories.managed_store import Store
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.doubles import Forward, Lie, double, nobody
from tests.factories.private_sigstore.instance import Instance
from tests.factories.private_sigstore.serving import Answer, Request
from tests.factories.private_sigstore.store import OPERATOR
from tests.factories.requests import SCOPE, subject_of
from tests.factories.signing_jobs import key_file

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(KeyStore(key_in(tmp_path))).initialise()


@pytest.fixture
def witnessed_store(sigstore: Sigstore, tmp_path: Path) -> Store:
    return Store(KeyStore(key_in(tmp_path), sigstore.instance)).initialise()


def verification(request: AttestationRequest) -> Verification:
    """With the trust root that is published now."""
    bundle = Attestation.objects.get(request=request).kept_bundle
    root = trust_root(version=trust_state().trust_root_version)
    return SigstoreVerifier().verify(bundle, trust_root=root)


def listed() -> Any:
    return signing_keys(version=trust_state().trust_root_version)


def why_no_row(request: AttestationRequest, code: str = "signer-refused") -> str:
    assert not Attestation.objects.filter(request=request).exists()
    assert request.state == RequestState.PENDING
    error: dict[str, Any] = request.last_error or {}
    assert error["code"] == code
    return str(error["reason"])


def test_attests_builds_and_releases(store: Store) -> None:
    built, released = store.attested(), store.attested(facts=None)

    assert built.state == released.state == RequestState.ATTESTED
    assert store.published == [built.build_id, released.build_id]
    for request in (built, released):
        found = examine(
            verification(request),
            Expected(SCOPE, request.build, subject_of(), store.keys.base_url),
        )
        assert found.failed is None
        assert "by the key" in next(s.found for s in found.steps if s.name == "identity")


def test_attests_with_witnesses(witnessed_store: Store) -> None:
    request = witnessed_store.attested()

    verified = verification(request).verified
    assert verified is not None
    assert verified.signed_at is not None
    assert verified.log_index is not None


def test_records_in_no_log_what_its_owner_wants_in_none(sigstore: Sigstore, tmp_path: Path) -> None:
    store = Store(KeyStore(key_in(tmp_path), sigstore.instance, has_log=False)).initialise()

    request = store.attested(transparency=Transparency.TIMESTAMP_ONLY)

    verified = verification(request).verified
    assert request.state == RequestState.ATTESTED
    assert verified is not None
    assert verified.signed_at is not None
    assert verified.log_index is None


def test_leaves_a_log_that_its_key_demands_out_for_nobody(witnessed_store: Store) -> None:
    request = witnessed_store.attested(transparency=Transparency.TIMESTAMP_ONLY)

    assert why_no_row(request, "signer-unavailable") == "no-signer-for-transparency"


def test_lists_the_key_before_it_signs(store: Store, tmp_path: Path) -> None:
    other = KeyStore(key_in(tmp_path, name="other.pem"))

    too_early = store.attested(other.signer())
    Store(other).initialise()
    after = Store(other).attested()

    assert why_no_row(too_early) == "key-unknown"
    assert after.state == RequestState.ATTESTED


@dataclass
class Answering:
    """Answers every job with what it was given."""

    answer: Signed
    name: str = "answering"
    batches_at_once: int = 1

    def sign(self, jobs: Sequence[SigningJob]) -> list[Signed | SignerRefused | SignerUnavailable]:
        return [self.answer for _ in jobs]


def edited(signed: Signed, **envelope: Any) -> Signed:
    document = json.loads(signed.bundle)
    document["dsseEnvelope"].update(envelope)
    return Signed(json.dumps(document).encode())


def test_records_nothing_that_another_key_signed_in_its_name(store: Store, tmp_path: Path) -> None:
    honest = store.attested()
    mine = json.loads(Attestation.objects.get(request=honest).kept_bundle)
    stranger = KeyStore(key_in(tmp_path, name="stranger.pem"))

    class InMyName:
        name = "in-my-name"
        batches_at_once = 1

        def sign(self, jobs: Sequence[SigningJob]) -> list[Any]:
            (answer,) = stranger.signer().sign(jobs)
            assert isinstance(answer, Signed)
            forged = json.loads(answer.bundle)
            forged["verificationMaterial"]["publicKey"] = mine["verificationMaterial"]["publicKey"]
            return [Signed(json.dumps(forged).encode())]

    assert why_no_row(store.attested(InMyName())) == "signature-invalid"


def test_records_nothing_signed_over_other_bytes(store: Store) -> None:
    honest = store.attested()
    theirs = Signed(Attestation.objects.get(request=honest).kept_bundle)

    replayed = store.attested(Answering(theirs))
    payload = json.loads(theirs.bundle)["dsseEnvelope"]["payload"]
    changed = base64.b64encode(base64.b64decode(payload) + b" ").decode()
    tampered = store.attested(Answering(edited(theirs, payload=changed)))

    assert why_no_row(replayed) == "build-mismatch"
    assert why_no_row(tampered) == "signature-invalid"


def test_records_nothing_that_lacks_the_witnesses_its_key_demands(witnessed_store: Store) -> None:
    keys = witnessed_store.keys
    without = KeyStore(keys.uri, base_url=keys.base_url).signer()
    no_log = KeyStore(keys.uri, keys.instance, has_log=False).signer()

    assert why_no_row(witnessed_store.attested(without)) == "no-verified-time"
    assert why_no_row(witnessed_store.attested(no_log)) == "log-entry-invalid"


class Stale:
    """Answers everybody with what it answered first."""

    first: Answer | None = None

    def __call__(self, request: Request, forward: Forward) -> Answer:
        self.first = self.first or forward(request)
        return self.first


def through(store: Store, service: str, lie: Lie) -> AttestationRequest:
    instance = store.keys.instance
    assert isinstance(instance, Instance)
    with double(getattr(instance, service), lie) as address:
        return store.attested(store.keys.through(**{service: address}))


@pytest.mark.parametrize(
    ("service", "reason"), [("rekor", "log-mismatch"), ("tsa", "timestamp-for-another-request")]
)
def test_records_nothing_with_an_answer_that_was_given_before(
    witnessed_store: Store, service: str, reason: str
) -> None:
    stale = Stale()

    first = through(witnessed_store, service, stale)
    second = through(witnessed_store, service, stale)

    assert first.state == RequestState.ATTESTED
    assert why_no_row(second) == reason


def test_records_nothing_with_the_proof_of_another_leaf(witnessed_store: Store) -> None:
    answers: list[dict[str, Any]] = []

    def lying(request: Request, forward: Forward) -> Answer:
        answers.append(json.loads(forward(request).content))
        return Answer.json({**answers[-1], "inclusionProof": answers[0]["inclusionProof"]})

    assert through(witnessed_store, "rekor", lying).state == RequestState.ATTESTED
    assert why_no_row(through(witnessed_store, "rekor", lying)) == "log-entry-invalid"


def test_waits_for_witnesses_that_are_away(witnessed_store: Store) -> None:
    with nobody() as address:
        waiting = witnessed_store.attested(witnessed_store.keys.through(tsa=address))

    assert why_no_row(waiting, "signer-unavailable") == "not-reachable"


def test_waits_for_a_key_that_is_away(store: Store, tmp_path: Path) -> None:
    away = KeyStore(f"file:{tmp_path}/nowhere.pem")

    assert why_no_row(store.attested(away.signer()), "signer-unavailable") == "missing-key-file"


def test_verifies_old_bundles_after_a_rotation_and_refuses_the_old_key_after_its_end(
    witnessed_store: Store, sigstore: Sigstore, tmp_path: Path
) -> None:
    first = witnessed_store.attested()
    (old,) = listed()
    new = Store(KeyStore(key_in(tmp_path, name="new.pem"), sigstore.instance)).initialise()

    overlap = witnessed_store.attested()
    second = new.attested()
    # The authority's clock counts in seconds, and may round the last signature up.
    end_signing_key(key=old.id, actor=OPERATOR, now=timezone.now() + timedelta(seconds=1))
    before_end = [verification(one).verified for one in (first, overlap, second)]
    end_signing_key(key=old.id, actor=OPERATOR, now=old.since)
    too_late = witnessed_store.attested()

    assert all(before_end)
    assert why_no_row(too_late) == "time-outside-key"
    assert len(listed()) == 2


def test_keeps_an_old_key_without_timestamps_until_it_is_revoked(
    store: Store, tmp_path: Path
) -> None:
    first = store.attested()
    (old,) = listed()
    second = Store(KeyStore(key_in(tmp_path, name="new.pem"))).initialise().attested()

    with pytest.raises(SigningKeyWithoutTime):
        end_signing_key(key=old.id, actor=OPERATOR, now=timezone.now())
    assert verification(first).verified
    version = revoke_signing_key(key=old.id, actor=OPERATOR, now=timezone.now())

    assert verification(first).steps[-1].code == "key-revoked"
    assert verification(second).verified
    assert version == trust_state().trust_root_version
    assert why_no_row(store.attested()) == "key-revoked"


def test_keeps_the_list_when_another_signer_takes_over(store: Store, tmp_path: Path) -> None:
    request = store.attested()

    embedded = EmbeddedSignerKeys(key_file=key_file(tmp_path), base_url=store.keys.base_url)
    initialise_signer(keys=embedded, actor=OPERATOR, now=timezone.now())

    assert verification(request).verified
    assert json.loads(trust_root(version=trust_state().trust_root_version))["trustedRoot"]["ctlogs"]


def test_publishes_the_list_and_each_key(store: Store, client: Client) -> None:
    (key,) = listed()

    bare = client.get("/.well-known/trusted_root.json")
    whole = client.get("/.well-known/strongroom-trust-root.json")
    shown = client.get("/.well-known/signing-keys.json").json()["signingKeys"]
    pem = client.get(f"/.well-known/signing-keys/{key.id}.pem")

    assert "signingKeys" not in bare.json()
    assert whole.content == trust_root(version=trust_state().trust_root_version)
    assert [one["id"] for one in shown] == [key.id]
    assert pem.content.decode() == public_pem(key) == store.keys.pem
    assert client.get("/.well-known/signing-keys/00.pem").status_code == 404
    revoke_signing_key(key=key.id, actor=OPERATOR, now=timezone.now())
    assert client.get(f"/.well-known/signing-keys/{key.id}.pem").status_code == 404
    assert "revokedAt" in client.get("/.well-known/signing-keys.json").json()["signingKeys"][0]


def test_answers_with_an_empty_list_before_anything_is_published(client: Client) -> None:
    assert client.get("/.well-known/signing-keys.json").json() == {"signingKeys": []}
    assert client.get("/.well-known/strongroom-trust-root.json").status_code == 503


def test_refuses_ed25519_where_a_log_cannot_take_it(sigstore: Sigstore, tmp_path: Path) -> None:
    keys = KeyStore(key_in(tmp_path, "ed25519"), sigstore.instance)

    with pytest.raises(SignerUnavailable, match="key-cannot-be-logged"):
        keys.signer().sign([SigningJob(b"{}", keys.base_url, {})])


def test_says_which_setting_names_the_key() -> None:
    with pytest.raises(SignerUnavailable, match="STRONGROOM_KEY_URI"):
        KeyHolder(None).open()
