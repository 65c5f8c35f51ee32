"""Timestamps and log entries of managed keys: what a bundle must have, and what it may not.

The witnesses are real ones. Each forgery stands beside its twin, without the forged thing.
"""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from provenance.adapters.trusted_keys import trusted_keys
from provenance.domain.signing_keys import Demand
from tests.factories.keyed_bundles import Bundle, Case, made, material
from tests.factories.managed_keys import KeyStore, key_in
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.signing_jobs import STORE

pytestmark = pytest.mark.django_db


@pytest.fixture
def store(sigstore: Sigstore, tmp_path: Path) -> KeyStore:
    return KeyStore(key_in(tmp_path), sigstore.instance)


@pytest.fixture
def witnessed(store: KeyStore) -> Case:
    return made(store)


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


def test_shows_every_key_to_whoever_decides(witnessed: Case) -> None:
    revoked = witnessed.listed(revoked_at=witnessed.key.since)

    (shown,) = [key for key in trusted_keys(witnessed.trust.to_json()) if key.kind == "signing key"]
    (ended,) = [key for key in trusted_keys(revoked.trust.to_json()) if key.kind == "signing key"]

    assert shown.sha256 == witnessed.key.id
    assert f"{STORE}/builders/" in shown.address
    assert "log and timestamp" in shown.address
    assert "REVOKED" in ended.address
