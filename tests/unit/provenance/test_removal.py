"""Removals: what they say, each forgery of it, and that they pass for nothing else."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.digest import Sha256
from provenance.domain.builders import MODES, builder_id, release_attestor_id, removal_attestor_id
from provenance.domain.evidence import (
    ExpectedRemoval,
    Verification,
    examine,
    examine_removal,
)
from provenance.domain.removal import (
    MEMBERS,
    MOST_REMOVED,
    Removed,
    Rule,
    predicate_type,
    removal,
    removed_name,
    statement_of,
)
from provenance.domain.statement import Subject, parse
from tests.factories.evidence import AT, BASE_URL, BUILD, DIGEST, NAME, PROJECT, expected, removed
from tests.factories.evidence import verification as of_build

OTHER = UUID("99999999-9999-4999-8999-999999999999")
IDENTITY = removal_attestor_id(base_url=BASE_URL)
SUBJECT = Subject(removed_name(build=BUILD, path=NAME), DIGEST)
GONE = removed()


def signed(*gone: Removed, **changes: Any) -> Verification:
    """A removal whose cryptography passed, with these parts of the bundle different."""
    payload = statement_of(project=PROJECT, removed=gone or (GONE,), base_url=BASE_URL)
    as_removal = {"payload": payload, "identity": IDENTITY, "extensions": {9: IDENTITY}}
    return of_build(**{**as_removal, **changes})


def failure(found: Verification, **changes: Any) -> str:
    """The reason code of the examination; empty when everything passed."""
    wanted = ExpectedRemoval(**{**_WANTED, **changes})
    failed = examine_removal(found, wanted).failed
    return failed.code if failed is not None else ""


_WANTED: dict[str, Any] = {"project": PROJECT, "subject": SUBJECT, "base_url": BASE_URL}


def edited(change: Callable[[dict[str, Any]], Any]) -> Verification:
    """The same statement after an edit, as if it had been signed so."""
    document = json.loads(statement_of(project=PROJECT, removed=(GONE,), base_url=BASE_URL))
    change(document)
    return signed(payload=json.dumps(document).encode())


def test_accepts_what_says_what_is_expected() -> None:
    assert failure(signed()) == ""


def test_finds_one_of_many() -> None:
    others = [replace(GONE, path=f"{number}") for number in range(9)]

    assert failure(signed(*others, GONE)) == ""


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"subject": Subject(SUBJECT.name, Sha256("cd" * 32))}, "subject-mismatch"),
        ({"subject": Subject(NAME, DIGEST)}, "subject-name-mismatch"),
        (
            {"subject": Subject(removed_name(build=OTHER, path=NAME), DIGEST)},
            "subject-name-mismatch",
        ),
        ({"project": OTHER}, "scope-mismatch"),
        ({"base_url": "https://other.test"}, "unknown-predicate-type"),
    ],
)
def test_refuses_what_is_about_something_else(changes: dict[str, Any], code: str) -> None:
    assert failure(signed(), **changes) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"identity": release_attestor_id(base_url=BASE_URL)}, "identity-mismatch"),
        ({"identity": "https://evil.test/attestors/removal/v1"}, "identity-mismatch"),
        ({"issuer": "https://evil.test"}, "issuer-mismatch"),
        ({"payload_type": "text/plain"}, "payload-type-mismatch"),
    ],
)
def test_refuses_another_signer(changes: dict[str, Any], code: str) -> None:
    assert failure(signed(**changes)) == code


@pytest.mark.parametrize("mode", MODES.values())
def test_lets_no_builder_sign_a_removal(mode: Any) -> None:
    assert failure(signed(identity=builder_id("github", mode, base_url=BASE_URL))) == (
        "identity-mismatch"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["predicate"].update(more=1),
        lambda document: document["predicate"].pop("project"),
        lambda document: document["predicate"]["artifacts"].clear(),
        lambda document: document["predicate"]["artifacts"].append({}),
        lambda document: document["predicate"].update(artifacts="all"),
        lambda document: document["predicate"].update(artifacts=["all"]),
        lambda document: document["predicate"]["artifacts"][0].pop("removedBy"),
        lambda document: document["predicate"]["artifacts"][0].update(level=3),
        lambda document: document["predicate"]["artifacts"][0].update(build=str(OTHER)),
        lambda document: document["predicate"]["artifacts"][0].update(path="other"),
        lambda document: document["predicate"]["artifacts"][0].update(subject="other"),
    ],
)
def test_refuses_a_predicate_that_leaves_the_table(change: Callable[[Any], Any]) -> None:
    assert failure(edited(change)) == "schema-violation"


@pytest.mark.parametrize("is_release", [False, True])
def test_takes_no_statement_of_a_build_for_a_removal(is_release: bool) -> None:  # noqa: FBT001 - a table
    replayed = of_build(is_release=is_release)

    assert failure(replayed) == "unknown-predicate-type"
    assert failure(replayed, subject=Subject(NAME, DIGEST)) == "unknown-predicate-type"


@given(
    st.text(min_size=1, max_size=40),
    st.sampled_from(
        [IDENTITY, *(builder_id("github", m, base_url=BASE_URL) for m in MODES.values())]
    ),
)
def test_is_never_evidence_of_a_build(path: str, identity: str) -> None:
    """Whatever it is called, whoever signs it, and however the file that is asked for is named."""
    found = signed(replace(GONE, path=path), identity=identity, extensions={9: identity})

    for name in (path, removed_name(build=BUILD, path=path)):
        evidence = examine(found, expected(subject=Subject(name, DIGEST)))
        assert evidence.failed is not None
        assert evidence.statement is None


def test_documents_exactly_the_members_that_it_has() -> None:
    by_rule = replace(
        GONE,
        reason="",
        expired_at=AT,
        plan=OTHER,
        rule=Rule(name="old", level="project", scope=PROJECT, version=3),
    )
    statement = parse(
        statement_of(project=PROJECT, removed=(GONE, replace(by_rule, path="b")), base_url=BASE_URL)
    )

    used = {name for one in statement.predicate["artifacts"] for name in one}
    assert used == MEMBERS.keys()
    assert statement.predicate_type == predicate_type(base_url=BASE_URL)


@pytest.mark.parametrize("count", [0, MOST_REMOVED + 1])
def test_names_no_more_than_fits(count: int) -> None:
    gone = [replace(GONE, path=str(number)) for number in range(count)]

    with pytest.raises(ValueError, match=str(count)):
        removal(project=PROJECT, removed=gone, base_url=BASE_URL)
