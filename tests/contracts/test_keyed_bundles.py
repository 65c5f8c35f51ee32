"""Bundles of managed keys: good ones pass every step that applies, each forgery fails at its own.

Each forgery stands beside its twin: the same bundle and trust root without the forged thing.
"""

import base64
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provenance.adapters.sigstore_verifier import SigstoreVerifier
from tests.factories.bundles import Instance as CertificateInstance
from tests.factories.bundles import encoded
from tests.factories.keyed_bundles import Bundle, Case, made, material
from tests.factories.managed_keys import KeyStore, key_in
from tests.factories.signing_jobs import IDENTITY, STORE, job

pytestmark = pytest.mark.django_db


@pytest.fixture
def plain(tmp_path: Path) -> Case:
    return made(KeyStore(key_in(tmp_path)))


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


def test_refuses_certificates_where_no_authority_is_trusted(plain: Case) -> None:
    bundle = CertificateInstance().bundle()

    assert replace(plain, bundle=bundle).failure() == ("bundle", "unsupported-bundle")


def test_refuses_a_key_where_none_is_trusted(plain: Case) -> None:
    root = CertificateInstance().trust_root()

    found = SigstoreVerifier().verify(encoded(plain.bundle), trust_root=root)

    assert (found.verified, found.steps[-1].code) == (None, "key-unknown")


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
