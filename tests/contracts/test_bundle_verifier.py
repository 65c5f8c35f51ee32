"""Every BundleVerifier: good bundles pass whole, and each forgery fails at its own step.

Each forgery stands beside its twin: the same keys, the same making, without the forged thing.
"""

import json
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.adapters.embedded.keys import SigningKey
from provenance.adapters.sigstore_verifier import SigstoreVerifier
from provenance.domain.evidence import StepName, Verification
from provenance.ports import BundleVerifier
from tests.factories.bundles import (
    AT,
    IDENTITY,
    PAYLOAD,
    SPARE,
    STORE,
    Authority,
    Instance,
    Leaf,
    Parts,
    encoded,
    uri,
)
from tests.factories.edited_bundles import EDITS, GOOD, INSTANCE, OTHER_KINDS, Forgery

CRYPTOGRAPHY = (
    StepName.BUNDLE,
    StepName.TIME,
    StepName.CHAIN,
    StepName.SCT,
    StepName.CERTIFICATE,
    StepName.LOG,
    StepName.SIGNATURE,
    StepName.LOG_CONSISTENCY,
)
ROOT = INSTANCE.trust_root()


@pytest.fixture(params=[SigstoreVerifier])
def verifier(request: pytest.FixtureRequest) -> BundleVerifier:
    made: BundleVerifier = request.param()
    return made


def failure(verification: Verification) -> tuple[str, str]:
    """The failed step and its code; all steps before it have passed, in the one order."""
    assert verification.verified is None
    *passed, failed = verification.steps
    assert [step.name for step in passed] == list(CRYPTOGRAPHY[: len(passed)])
    assert all(step.passed for step in passed)
    assert CRYPTOGRAPHY[len(passed)] == failed.name
    return failed.name, failed.code


def test_passes_every_step_of_a_good_bundle(verifier: BundleVerifier) -> None:
    verification = verifier.verify(encoded(GOOD), trust_root=ROOT)

    assert tuple(step.name for step in verification.steps) == CRYPTOGRAPHY
    assert all(step.passed for step in verification.steps)


def test_says_what_the_cryptography_vouches_for(verifier: BundleVerifier) -> None:
    verified = verifier.verify(encoded(GOOD), trust_root=ROOT).verified

    assert verified is not None
    assert verified.payload == PAYLOAD
    assert verified.payload_type == "application/vnd.in-toto+json"
    assert verified.identity == IDENTITY
    assert verified.issuer == STORE
    assert verified.extensions[9] == IDENTITY
    assert verified.extensions[12] == "https://github.com/acme/widget"
    assert verified.signed_at == AT + timedelta(seconds=1)
    assert verified.log_index == 0
    assert verified.log_key_id == INSTANCE.log_key.log_id.hex()


@pytest.mark.parametrize(
    ("forge", "expected"), EDITS.items(), ids=lambda value: getattr(value, "__name__", "")
)
def test_refuses_an_edited_bundle_at_its_step(
    verifier: BundleVerifier, forge: Forgery, expected: tuple[str, str]
) -> None:
    bundle = deepcopy(GOOD)
    assert verifier.verify(encoded(bundle), trust_root=ROOT).verified

    forge(bundle)

    assert failure(verifier.verify(encoded(bundle), trust_root=ROOT)) == expected


OTHER_AUTHORITY = Authority()
LATE = AT + timedelta(minutes=10, seconds=1)
TEXTS = Leaf().texts
EVIL = "https://store.test/builders/evil/hosted-confirmed/v1"


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (Parts(authority=OTHER_AUTHORITY), ("chain", "chain-invalid")),
        (Parts(ct_key=SigningKey.generate()), ("sct", "sct-invalid")),
        (Parts(leaf=Leaf(scts=0)), ("sct", "sct-invalid")),
        (Parts(leaf=Leaf(scts=2)), ("sct", "sct-invalid")),
        (
            Parts(leaf=Leaf(texts={**TEXTS, SPARE: asn1.encode_der(EVIL)}, renamed=9)),
            ("chain", "chain-invalid"),
        ),
        (
            Parts(leaf=Leaf(texts={**TEXTS, SPARE: asn1.encode_der(EVIL)}, renamed=12)),
            ("chain", "chain-invalid"),
        ),
        (Parts(log_key=SigningKey.generate()), ("log", "log-entry-invalid")),
        (Parts(integrated_at=LATE), ("chain", "time-outside-certificate")),
        (
            Parts(integrated_at=AT - timedelta(seconds=1)),
            ("chain", "time-outside-certificate"),
        ),
        (
            Parts(leaf=Leaf(names=(uri(IDENTITY), uri(STORE)))),
            ("certificate", "certificate-invalid"),
        ),
        (
            Parts(leaf=Leaf(names=(x509.RFC822Name("eve@store.test"),))),
            ("certificate", "certificate-invalid"),
        ),
        (
            Parts(leaf=Leaf(texts={9: TEXTS[9]})),
            ("certificate", "certificate-invalid"),
        ),
        (
            Parts(leaf=Leaf(texts={**TEXTS, 1: b"https://elsewhere.test"})),
            ("certificate", "certificate-invalid"),
        ),
        (
            Parts(leaf=Leaf(texts={**TEXTS, 9: b"not DER"})),
            ("certificate", "certificate-invalid"),
        ),
        (
            Parts(leaf=Leaf(usage=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]))),
            ("certificate", "certificate-invalid"),
        ),
        (Parts(leaf=Leaf(usage=None)), ("certificate", "certificate-invalid")),
    ],
    ids=[
        "foreign-authority",
        "foreign-ct-key",
        "no-sct",
        "two-scts",
        "two-builders",
        "two-repositories",
        "foreign-log",
        "logged-after-expiry",
        "logged-before-issue",
        "two-identities",
        "identity-is-no-uri",
        "no-issuer",
        "two-issuers",
        "extension-not-der",
        "not-for-code-signing",
        "no-extended-usage",
    ],
)
def test_refuses_a_well_made_bundle_of_the_wrong_parts(
    verifier: BundleVerifier, parts: Parts, expected: tuple[str, str]
) -> None:
    assert verifier.verify(encoded(INSTANCE.bundle()), trust_root=ROOT).verified

    bundle = INSTANCE.bundle(parts)

    assert failure(verifier.verify(encoded(bundle), trust_root=ROOT)) == expected


def test_accepts_an_extension_that_is_there_once(verifier: BundleVerifier) -> None:
    """The twin of the certificates that say something twice: made in the same way."""
    leaf = Leaf(texts={**TEXTS, SPARE: asn1.encode_der(EVIL)}, renamed=10)

    verified = verifier.verify(encoded(INSTANCE.bundle(Parts(leaf=leaf))), trust_root=ROOT).verified

    assert verified is not None
    assert verified.extensions[10] == EVIL


def test_accepts_the_last_second_of_a_certificate(verifier: BundleVerifier) -> None:
    bundle = INSTANCE.bundle(Parts(integrated_at=LATE - timedelta(seconds=1)))

    assert verifier.verify(encoded(bundle), trust_root=ROOT).verified


def test_refuses_what_a_retired_log_signs_after_its_end(verifier: BundleVerifier) -> None:
    at_the_end = INSTANCE.trust_root(log_end=AT + timedelta(seconds=1))
    ended = INSTANCE.trust_root(log_end=AT)

    assert verifier.verify(encoded(GOOD), trust_root=at_the_end).verified
    assert failure(verifier.verify(encoded(GOOD), trust_root=ended)) == (
        "log",
        "log-entry-invalid",
    )


def test_refuses_what_a_retired_authority_issues_after_its_end(verifier: BundleVerifier) -> None:
    at_the_end = INSTANCE.trust_root(authority_end=AT + timedelta(seconds=1))
    ended = INSTANCE.trust_root(authority_end=AT)

    assert verifier.verify(encoded(GOOD), trust_root=at_the_end).verified
    assert failure(verifier.verify(encoded(GOOD), trust_root=ended)) == ("chain", "chain-invalid")


def test_refuses_a_bundle_of_another_instance(verifier: BundleVerifier) -> None:
    foreign = Instance()
    bundle = encoded(foreign.bundle())

    assert verifier.verify(bundle, trust_root=foreign.trust_root()).verified
    assert failure(verifier.verify(bundle, trust_root=ROOT)) == ("chain", "chain-invalid")


GOOD_BYTES = encoded(GOOD)


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"null",
        b"[]",
        b'"bundle"',
        b"{}",
        GOOD_BYTES[:-1],
        GOOD_BYTES[:1000],
        GOOD_BYTES + b"{}",
        GOOD_BYTES.replace(b'{"mediaType"', b'{"mediaType":"x","mediaType"', 1),
        GOOD_BYTES.replace(b'{"payload"', b'{"payload":"","payload"', 1),
        GOOD_BYTES.replace(b'"logIndex":"0"', b'"logIndex":NaN', 1),
        GOOD_BYTES.replace(b'"logIndex":"0"', b'"logIndex":"-1"', 1),
        GOOD_BYTES.replace(b'"logIndex":"0"', b'"logIndex":"' + b"9" * 5000 + b'"', 1),
        GOOD_BYTES.replace(b"store.test - 1", b"store.test \\ud800 1", 1),
        GOOD_BYTES.replace(b'"tlogEntries":[', b'"tlogEntries":[[', 1),
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"a":[' + b"[]," * 1000 + b"[]]}",
        b'"' + b'\\"' * 1_000_000,
        b"\xff\xfe" + GOOD_BYTES,
        b" " * (16 * 1024 * 1024 + 1),
    ],
    ids=[
        "empty",
        "null",
        "array",
        "string",
        "empty-object",
        "one-byte-short",
        "truncated",
        "trailing-data",
        "duplicate-key",
        "duplicate-nested-key",
        "nan",
        "negative-index",
        "endless-number",
        "lone-surrogate",
        "misnested",
        "nested-arrays",
        "nested-objects",
        "many-arrays",
        "endless-string",
        "not-utf-8",
        "too-large",
    ],
)
def test_refuses_bytes_that_are_no_bundle(verifier: BundleVerifier, hostile: bytes) -> None:
    assert verifier.verify(GOOD_BYTES, trust_root=ROOT).verified

    refused = failure(verifier.verify(hostile, trust_root=ROOT))

    assert refused == ("bundle", "malformed-bundle")


@pytest.mark.parametrize("change", OTHER_KINDS)
def test_tells_unsupported_bundles_from_malformed_ones(
    verifier: BundleVerifier, change: Forgery
) -> None:
    bundle = deepcopy(GOOD)
    change(bundle)

    assert failure(verifier.verify(encoded(bundle), trust_root=ROOT)) == (
        "bundle",
        "unsupported-bundle",
    )


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_vouches_for_nothing_else_whatever_bytes_change(data: st.DataObject) -> None:
    hostile = bytearray(GOOD_BYTES)
    for _ in range(data.draw(st.integers(min_value=1, max_value=3))):
        place = data.draw(st.integers(min_value=0, max_value=len(hostile) - 1))
        hostile[place] = data.draw(st.integers(min_value=0, max_value=255))

    verified = SigstoreVerifier().verify(bytes(hostile), trust_root=ROOT).verified

    if verified is not None:  # for example a bit that base64 does not use
        assert verified == SigstoreVerifier().verify(GOOD_BYTES, trust_root=ROOT).verified


@pytest.mark.parametrize(
    "root",
    [
        b"",
        b"{}",
        ROOT[:-1],
        ROOT.replace(b'"tlogs": [', b'"tlogs": [], "_": [', 1),
        json.dumps({**json.loads(ROOT), "tlogs": []}).encode(),
        json.dumps({**json.loads(ROOT), "certificateAuthorities": []}).encode(),
    ],
    ids=["empty", "no-members", "truncated", "unknown-member", "no-logs", "no-authorities"],
)
def test_raises_for_a_trust_root_that_cannot_be_used(verifier: BundleVerifier, root: bytes) -> None:
    with pytest.raises(Exception, match=r"(?i)trust|root|valid|log|found"):
        verifier.verify(GOOD_BYTES, trust_root=root)


def test_reads_extensions_that_are_not_known_by_name(verifier: BundleVerifier) -> None:
    leaf = Leaf(texts={**TEXTS, 27: asn1.encode_der("tomorrow's claim")})

    verified = verifier.verify(
        encoded(INSTANCE.bundle(replace(Parts(), leaf=leaf))), trust_root=ROOT
    ).verified

    assert verified is not None
    assert verified.extensions[27] == "tomorrow's claim"
