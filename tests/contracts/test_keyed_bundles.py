"""Bundles of managed keys: good ones pass every step that applies, each forgery fails at its own.

Each forgery stands beside its twin: the same bundle and trust root without the forged thing.
"""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.adapters.trusted_keys import trusted_keys
from provenance.domain.evidence import Verification
from provenance.domain.signing_keys import Demand, SigningKey
from provenance.domain.trust_document import TrustDocument
from provenance.ports import Signed
from tests.factories.bundles import Instance as CertificateInstance
from tests.factories.bundles import encoded
from tests.factories.managed_keys import KeyStore, key_in
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.signing_jobs import IDENTITY, STORE, job

pytestmark = pytest.mark.django_db

Bundle = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A bundle and the trust root that verifies it."""

    bundle: Bundle
    trust: TrustDocument

    @property
    def key(self) -> SigningKey:
        return self.trust.signing_keys[0]

    def listed(self, **changed: Any) -> "Case":
        keys = (replace(self.key, **changed),)
        return replace(self, trust=replace(self.trust, signing_keys=keys))

    def verify(self) -> Verification:
        raw = json.dumps(self.bundle).encode()
        return SigstoreVerifier().verify(raw, trust_root=self.trust.to_json())

    def failure(self) -> tuple[str, str]:
        verification = self.verify()
        assert verification.verified is None
        *passed, failed = verification.steps
        assert all(step.passed for step in passed)
        return failed.name, failed.code


def made(store: KeyStore, number: int = 0) -> Case:
    (answer,) = store.signer().sign([job(number)])
    assert isinstance(answer, Signed), answer
    return Case(json.loads(answer.bundle), store.document)


@pytest.fixture
def plain(tmp_path: Path) -> Case:
    return made(KeyStore(key_in(tmp_path)))


@pytest.fixture
def store(sigstore: Sigstore, tmp_path: Path) -> KeyStore:
    return KeyStore(key_in(tmp_path), sigstore.instance)


@pytest.fixture
def witnessed(store: KeyStore) -> Case:
    return made(store)


@pytest.mark.parametrize("kind", ["p256", "p384", "ed25519", "rsa2048"])
def test_passes_every_step_of_a_key_without_witnesses(tmp_path: Path, kind: str) -> None:
    case = made(KeyStore(key_in(tmp_path, kind)))

    verification = case.verify()

    assert [step.name for step in verification.steps] == ["bundle", "key", "signature"]
    verified = verification.verified
    assert verified is not None
    assert (verified.payload, verified.issuer) == (job(0).statement, STORE)
    assert (verified.signed_at, verified.log_index, verified.key) == (None, None, case.key)
    assert verified.may_be(IDENTITY)
    assert not verified.may_be("https://elsewhere.test/builders/x/y/v1")


@pytest.mark.parametrize("kind", ["p256", "p384", "rsa2048"])
def test_passes_every_step_of_a_key_with_witnesses(
    sigstore: Sigstore, tmp_path: Path, kind: str
) -> None:
    case = made(KeyStore(key_in(tmp_path, kind), sigstore.instance))

    verification = case.verify()

    names = ["bundle", "key", "time", "log", "signature", "log-consistency"]
    assert [step.name for step in verification.steps] == names
    assert verification.verified is not None
    assert verification.verified.signed_at is not None
    assert case.key.demands == {Demand.TIMESTAMP, Demand.LOG}


def material(bundle: Bundle) -> dict[str, Any]:
    held: dict[str, Any] = bundle["verificationMaterial"]
    return held


def signature_of(bundle: Bundle) -> bytes:
    return base64.b64decode(bundle["dsseEnvelope"]["signatures"][0]["sig"])


def sign_as(bundle: Bundle, signature: bytes) -> None:
    bundle["dsseEnvelope"]["signatures"] = [{"sig": base64.b64encode(signature).decode()}]


def edit_payload(bundle: Bundle) -> None:
    bundle["dsseEnvelope"]["payload"] = base64.b64encode(job(9).statement).decode()


def edit_payload_type(bundle: Bundle) -> None:
    bundle["dsseEnvelope"]["payloadType"] = "text/plain"


def edit_signature(bundle: Bundle) -> None:
    signature = bytearray(signature_of(bundle))
    signature[-1] ^= 1
    sign_as(bundle, bytes(signature))


def sign_twice(bundle: Bundle) -> None:
    bundle["dsseEnvelope"]["signatures"] *= 2


def sign_never(bundle: Bundle) -> None:
    bundle["dsseEnvelope"]["signatures"] = []


def name_another_key(bundle: Bundle) -> None:
    material(bundle)["publicKey"]["hint"] = base64.b64encode(bytes(32)).decode()


def name_no_key(bundle: Bundle) -> None:
    material(bundle)["publicKey"] = {}


def name_an_empty_key(bundle: Bundle) -> None:
    material(bundle)["publicKey"]["hint"] = ""


def bring_a_certificate_too(bundle: Bundle) -> None:
    material(bundle)["certificate"] = {"rawBytes": "AAAA"}


def be_older(bundle: Bundle) -> None:
    bundle["mediaType"] = "application/vnd.dev.sigstore.bundle+json;version=0.1"


def be_no_envelope(bundle: Bundle) -> None:
    del bundle["dsseEnvelope"]


@pytest.mark.parametrize(
    ("forge", "expected"),
    [
        (edit_payload, ("signature", "signature-invalid")),
        (edit_payload_type, ("signature", "signature-invalid")),
        (edit_signature, ("signature", "signature-invalid")),
        (sign_twice, ("bundle", "malformed-bundle")),
        (sign_never, ("bundle", "malformed-bundle")),
        (name_another_key, ("key", "key-unknown")),
        (name_no_key, ("bundle", "malformed-bundle")),
        (name_an_empty_key, ("key", "key-unknown")),
        (bring_a_certificate_too, ("bundle", "malformed-bundle")),
        (be_older, ("bundle", "unsupported-bundle")),
        (be_no_envelope, ("bundle", "malformed-bundle")),
    ],
)
def test_refuses_an_edited_bundle_at_its_step(
    plain: Case, forge: Callable[[Bundle], None], expected: tuple[str, str]
) -> None:
    assert plain.verify().verified

    forge(plain.bundle)

    assert plain.failure() == expected


def test_refuses_another_key_under_the_name_of_a_listed_one(plain: Case, tmp_path: Path) -> None:
    stranger = made(KeyStore(key_in(tmp_path, name="stranger.pem")))
    assert stranger.verify().verified

    forged = deepcopy(stranger.bundle)
    material(forged)["publicKey"]["hint"] = plain.key.hint

    assert replace(plain, bundle=forged).failure() == ("signature", "signature-invalid")
    assert replace(plain, bundle=stranger.bundle).failure() == ("key", "key-unknown")


def test_refuses_everything_of_a_revoked_key(plain: Case) -> None:
    assert plain.listed(revoked_at=plain.key.since).failure() == ("key", "key-revoked")


def test_refuses_a_key_that_is_not_what_the_list_calls_it(plain: Case, tmp_path: Path) -> None:
    other = made(KeyStore(key_in(tmp_path, "p384", name="other.pem")))

    assert plain.listed(algorithm=other.key.algorithm).failure() == ("key", "key-unknown")


def test_refuses_a_bundle_without_a_time_once_its_key_has_an_end(plain: Case) -> None:
    ended = plain.listed(until=plain.key.since + timedelta(days=1))

    assert ended.failure() == ("time", "no-verified-time")


def test_speaks_for_nobody_where_the_list_names_nobody(plain: Case) -> None:
    verified = plain.listed(speaks_for=()).verify().verified

    assert verified is not None
    assert not verified.may_be(IDENTITY)
    assert not verified.may_be("")


def strip_timestamp(bundle: Bundle, _other: Bundle) -> None:
    del material(bundle)["timestampVerificationData"]


def empty_timestamps(bundle: Bundle, _other: Bundle) -> None:
    material(bundle)["timestampVerificationData"]["rfc3161Timestamps"] = []


def other_timestamp(bundle: Bundle, other: Bundle) -> None:
    material(bundle)["timestampVerificationData"] = material(other)["timestampVerificationData"]


def twice_the_timestamp(bundle: Bundle, _other: Bundle) -> None:
    material(bundle)["timestampVerificationData"]["rfc3161Timestamps"] *= 2


def no_timestamp(bundle: Bundle, _other: Bundle) -> None:
    (held,) = material(bundle)["timestampVerificationData"]["rfc3161Timestamps"]
    held["signedTimestamp"] = base64.b64encode(b"noon").decode()


def strip_entry(bundle: Bundle, _other: Bundle) -> None:
    material(bundle)["tlogEntries"] = []


def twice_the_entry(bundle: Bundle, _other: Bundle) -> None:
    material(bundle)["tlogEntries"] *= 2


def other_entry(bundle: Bundle, other: Bundle) -> None:
    material(bundle)["tlogEntries"] = material(other)["tlogEntries"]


def other_body(bundle: Bundle, other: Bundle) -> None:
    (entry,), (theirs,) = material(bundle)["tlogEntries"], material(other)["tlogEntries"]
    entry["canonicalizedBody"] = theirs["canonicalizedBody"]


def other_proof(bundle: Bundle, other: Bundle) -> None:
    (entry,), (theirs,) = material(bundle)["tlogEntries"], material(other)["tlogEntries"]
    entry["inclusionProof"] = theirs["inclusionProof"]


def drop_proof(bundle: Bundle, _other: Bundle) -> None:
    del material(bundle)["tlogEntries"][0]["inclusionProof"]


def unsigned_checkpoint(bundle: Bundle, _other: Bundle) -> None:
    checkpoint = material(bundle)["tlogEntries"][0]["inclusionProof"]["checkpoint"]
    checkpoint["envelope"] = checkpoint["envelope"].replace("sigstore.test ", "sigstore.test AAAA")


def strange_log(bundle: Bundle, _other: Bundle) -> None:
    material(bundle)["tlogEntries"][0]["logId"]["keyId"] = base64.b64encode(bytes(32)).decode()


def another_kind(bundle: Bundle, _other: Bundle) -> None:
    kind = material(bundle)["tlogEntries"][0]["kindVersion"]
    kind.update(kind="dsse", version="0.0.1")


def other_signature(bundle: Bundle, other: Bundle) -> None:
    """A good signature of the same key, over other bytes, with their witnesses."""
    envelope = bundle["dsseEnvelope"]
    bundle["verificationMaterial"] = other["verificationMaterial"]
    envelope["signatures"] = other["dsseEnvelope"]["signatures"]


@pytest.mark.parametrize(
    ("forge", "expected"),
    [
        (strip_timestamp, ("time", "no-verified-time")),
        (empty_timestamps, ("time", "no-verified-time")),
        (other_timestamp, ("time", "no-verified-time")),
        (twice_the_timestamp, ("time", "no-verified-time")),
        (no_timestamp, ("time", "no-verified-time")),
        (strip_entry, ("log", "log-entry-invalid")),
        (twice_the_entry, ("log", "log-entry-invalid")),
        (other_entry, ("log-consistency", "log-mismatch")),
        (other_body, ("log", "log-entry-invalid")),
        (other_proof, ("log", "log-entry-invalid")),
        (drop_proof, ("bundle", "malformed-bundle")),
        (unsigned_checkpoint, ("log", "log-entry-invalid")),
        (strange_log, ("log", "log-entry-invalid")),
        (another_kind, ("bundle", "unsupported-bundle")),
        (other_signature, ("signature", "signature-invalid")),
    ],
)
def test_refuses_a_bundle_whose_witnesses_were_edited(
    store: KeyStore,
    forge: Callable[[Bundle, Bundle], None],
    expected: tuple[str, str],
) -> None:
    case, other = made(store), made(store, 1)
    assert case.verify().verified

    forge(case.bundle, other.bundle)

    assert case.failure() == expected


def test_refuses_a_time_outside_of_the_keys_own(witnessed: Case) -> None:
    hour = timedelta(hours=1)

    late = witnessed.listed(since=witnessed.key.since + hour)
    early = witnessed.listed(until=witnessed.key.since - hour)
    within = witnessed.listed(until=witnessed.key.since + hour)

    assert late.failure() == early.failure() == ("time", "time-outside-key")
    assert within.verify().verified


def test_refuses_witnesses_that_the_trust_root_does_not_know(witnessed: Case) -> None:
    root = json.loads(witnessed.trust.trusted_root)
    for name, expected in (("timestampAuthorities", "time"), ("tlogs", "log")):
        without = json.dumps({**root, name: []}).encode()
        trust = replace(witnessed.trust, trusted_root=without)
        assert replace(witnessed, trust=trust).failure()[0] == expected


def test_refuses_the_time_of_an_authority_after_its_end(witnessed: Case) -> None:
    root = json.loads(witnessed.trust.trusted_root)
    for name, expected in (("timestampAuthorities", "time"), ("tlogs", "log")):
        ended = deepcopy(root)
        window = ended[name][0].get("publicKey", ended[name][0])["validFor"]
        window["end"] = (witnessed.key.since - timedelta(minutes=1)).isoformat()
        trust = replace(witnessed.trust, trusted_root=json.dumps(ended).encode())
        assert replace(witnessed, trust=trust).failure()[0] == expected


def test_verifies_witnesses_that_nobody_demanded(witnessed: Case, store: KeyStore) -> None:
    lenient = witnessed.listed(demands=frozenset())
    assert lenient.verify().verified

    other_timestamp(lenient.bundle, made(store, 1).bundle)

    assert lenient.failure() == ("time", "no-verified-time")


def test_refuses_certificates_where_no_authority_is_trusted(plain: Case) -> None:
    bundle = CertificateInstance().bundle()

    assert replace(plain, bundle=bundle).failure() == ("bundle", "unsupported-bundle")


def test_refuses_a_key_where_none_is_trusted(plain: Case) -> None:
    root = CertificateInstance().trust_root()

    found = SigstoreVerifier().verify(encoded(plain.bundle), trust_root=root)

    assert (found.verified, found.steps[-1].code) == (None, "key-unknown")


def test_shows_every_key_to_whoever_decides(witnessed: Case) -> None:
    revoked = witnessed.listed(revoked_at=witnessed.key.since)

    (shown,) = [key for key in trusted_keys(witnessed.trust.to_json()) if key.kind == "signing key"]
    (ended,) = [key for key in trusted_keys(revoked.trust.to_json()) if key.kind == "signing key"]

    assert shown.sha256 == witnessed.key.id
    assert f"{STORE}/builders/" in shown.address
    assert "log and timestamp" in shown.address
    assert "REVOKED" in ended.address


@given(position=st.integers(0, 10_000), value=st.integers(0, 255))
@settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_vouches_for_nothing_else_whatever_bytes_change(
    plain: Case, position: int, value: int
) -> None:
    raw = bytearray(json.dumps(plain.bundle).encode())
    raw[position % len(raw)] = value

    found = SigstoreVerifier().verify(bytes(raw), trust_root=plain.trust.to_json())

    if found.verified is not None:
        assert found.verified.payload == job(0).statement
        assert found.verified.key == plain.key
