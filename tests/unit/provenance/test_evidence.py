"""Each forgery of what a signed payload says, beside the twin that differs only in it."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from kernel.digest import Sha256
from provenance.domain.evidence import Step, StepName, Verification, VerifiedBundle, examine
from provenance.domain.scope import Scope
from provenance.domain.statement import Subject
from tests.factories.evidence import (
    BASE_URL,
    DIGEST,
    NAME,
    ORGANIZATION,
    expected,
    verification,
)

OTHER = UUID("99999999-9999-4999-8999-999999999999")


def failure(found: Verification, **changes: Any) -> str:
    """The reason code of the examination; empty when everything passed."""
    failed = examine(found, expected(**changes)).failed
    return failed.code if failed is not None else ""


def bundle(found: Verification) -> VerifiedBundle:
    assert found.verified is not None
    return found.verified


def edited(change: Callable[[dict[str, Any]], Any], *, is_release: bool = False) -> Verification:
    """The verification of the same statement after an edit, as if it had been signed so."""
    original = verification(is_release=is_release)
    document = json.loads(bundle(original).payload)
    change(document)
    return verification(is_release=is_release, payload=json.dumps(document).encode())


def test_accepts_provenance_that_says_what_is_expected() -> None:
    assert failure(verification()) == ""


def test_accepts_a_release_attestation_that_says_what_is_expected() -> None:
    assert failure(verification(is_release=True)) == ""


def test_lists_every_step_that_it_took() -> None:
    steps = [step.name for step in examine(verification(), expected()).steps]

    assert steps == [
        StepName.SIGNATURE,
        StepName.PAYLOAD_TYPE,
        StepName.STATEMENT,
        StepName.SUBJECT,
        StepName.PREDICATE_TYPE,
        StepName.SCHEMA,
        StepName.ISSUER,
        StepName.IDENTITY,
        StepName.SCOPE,
        StepName.BUILD,
    ]


def test_goes_no_further_when_the_cryptography_failed() -> None:
    broken = Verification((Step(StepName.SIGNATURE, "signature-invalid"),))

    evidence = examine(broken, expected())

    assert evidence.steps == broken.steps
    assert evidence.statement is None


@pytest.mark.parametrize("is_release", [False, True])
@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("subject-mismatch", {"subject": Subject(NAME, Sha256("cd" * 32))}),
        ("subject-name-mismatch", {"subject": Subject("dist/other.tar.gz", DIGEST)}),
        ("scope-mismatch", {"scope": Scope(ORGANIZATION, OTHER)}),
        ("build-mismatch", {"build": OTHER}),
        ("issuer-mismatch", {"base_url": BASE_URL}),
    ],
)
def test_refuses_evidence_for_something_else(
    code: str, changes: dict[str, Any], *, is_release: bool
) -> None:
    found = verification(is_release=is_release)
    if code == "issuer-mismatch":
        found = verification(is_release=is_release, issuer="http://other.test")

    assert failure(found, **changes) == code


@pytest.mark.parametrize("is_release", [False, True])
def test_refuses_a_certificate_of_another_identity(*, is_release: bool) -> None:
    other = f"{BASE_URL}/builders/github/hosted-confirmed/v1"

    assert failure(verification(is_release=is_release, identity=other)) == "identity-mismatch"


def test_refuses_a_build_signer_uri_that_is_not_the_builder() -> None:
    other = {9: f"{BASE_URL}/builders/github/hosted-confirmed/v1"}

    assert failure(verification(extensions=other)) == "identity-mismatch"
    assert failure(verification(extensions={})) == "identity-mismatch"


def test_refuses_another_payload_type() -> None:
    assert failure(verification(payload_type="application/json")) == "payload-type-mismatch"


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b'{"_type": "https://in-toto.io/Statement/v0.1"}',
        b"[" * 100_000,
        b'{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"x","predicate":{}}',
        (
            b'{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":'
            b'{"sha256":"AB"}}],"predicateType":"x","predicate":{}}'
        ),
        (
            b'{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":'
            b'{"md5":"00"}}],"predicateType":"x","predicate":{}}'
        ),
        b'{"_type":"https://in-toto.io/Statement/v1","_type":"https://in-toto.io/Statement/v1",'
        b'"subject":[{"name":"a","digest":{"sha256":"' + b"ab" * 32 + b'"}}],'
        b'"predicateType":"x","predicate":{}}',
        b'{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"a","digest":{"sha256":"'
        + b"ab" * 32
        + b'"}}],"predicateType":"x","predicate":{"a":NaN}}',
    ],
)
def test_refuses_what_is_no_statement(payload: bytes) -> None:
    assert failure(verification(payload=payload)) == "malformed-statement"


def test_refuses_a_statement_with_a_member_nobody_knows() -> None:
    assert failure(edited(lambda document: document.update(extra=1))) == "malformed-statement"


def test_refuses_an_unknown_predicate_type() -> None:
    other = edited(
        lambda document: document.update(predicateType="https://slsa.dev/provenance/v0.2")
    )

    assert failure(other) == "unknown-predicate-type"


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["predicate"].update(extra=1),
        lambda d: d["predicate"]["buildDefinition"].update(buildType="https://other.test/type"),
        lambda d: d["predicate"]["buildDefinition"]["externalParameters"].update(inputs={}),
        lambda d: d["predicate"]["buildDefinition"]["externalParameters"]["workflow"].pop("ref"),
        lambda d: d["predicate"]["buildDefinition"]["internalParameters"]["upload"].pop("project"),
        lambda d: d["predicate"]["buildDefinition"]["internalParameters"]["github"].update(a="b"),
        lambda d: d["predicate"]["buildDefinition"].update(resolvedDependencies=[]),
        lambda d: d["predicate"]["buildDefinition"]["resolvedDependencies"][0].update(
            digest={"gitCommit": "HEAD"}
        ),
        lambda d: d["predicate"]["runDetails"]["builder"].update(id="https://github.com/runner"),
        lambda d: d["predicate"]["runDetails"]["builder"].update(version={}),
        lambda d: d["predicate"]["runDetails"].update(byproducts=[]),
        lambda d: d["predicate"]["runDetails"]["metadata"].update(startedOn="yesterday"),
        lambda d: d.update(predicate={}),
    ],
)
def test_refuses_a_predicate_that_leaves_the_closed_schema(
    change: Callable[[dict[str, Any]], Any],
) -> None:
    assert failure(edited(change)) == "schema-violation"


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["predicate"].update(extra=1),
        lambda d: d["predicate"].pop("purl"),
        lambda d: d["predicate"].update(purl="pkg:npm/other@1"),
    ],
)
def test_refuses_a_release_predicate_of_another_form(
    change: Callable[[dict[str, Any]], Any],
) -> None:
    assert failure(edited(change, is_release=True)) == "schema-violation"


def test_reads_a_reencoded_statement_alike_when_nothing_was_edited() -> None:
    """The twin of every edit above: encoding alone is not what they are refused for."""
    assert failure(edited(lambda document: document)) == ""
    assert failure(edited(lambda document: document, is_release=True)) == ""
