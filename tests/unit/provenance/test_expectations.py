"""Expectations as a document: written and read by the same module, and never read in part."""

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from provenance.domain.builders import Level
from provenance.domain.expectations import (
    MAX_BYTES,
    MalformedExpectations,
    ProjectExpectations,
    expectations_document,
    read_expectations,
)
from provenance.domain.policy import Enforcement, Source, TrustMap, VerificationPolicy

STORE = "https://store.test"
EXPECTED = ProjectExpectations(
    base_url=STORE,
    project=UUID("11111111-1111-4111-8111-111111111111"),
    project_name="acme/widget",
    policy=VerificationPolicy(
        version=3,
        enforcement=Enforcement.OBSERVE,
        sources=(
            Source("https://token.actions.githubusercontent.com", "4242", "77"),
            Source("https://ci.acme.test", subject="job:release/widget"),
        ),
        accepts_release=False,
    ),
    trust_map=TrustMap(
        2, {f"{STORE}/builders/github/hosted-confirmed/v1": Level.L2}, key_is_shared=True
    ),
)


def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(expectations_document(EXPECTED)))
    return found


def test_gives_back_what_was_written() -> None:
    assert read_expectations(json.dumps(document()).encode()) == EXPECTED


def set_to(*path: str | int, value: object) -> Callable[[dict[str, Any]], None]:
    def change(found: Any) -> None:
        for step in path[:-1]:
            found = found[step]
        found[path[-1]] = value

    return change


def drop(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(found: Any) -> None:
        for step in path[:-1]:
            found = found[step]
        del found[path[-1]]

    return change


@pytest.mark.parametrize(
    "change",
    [
        set_to("expectations", value=2),
        set_to("more", value=1),
        set_to("policy", "minimum_level", value="L3"),
        set_to("trust_map", "revoked", value=[]),
        set_to("policy", "accepts_release", value="false"),
        set_to("policy", "accepts_release", value=1),
        set_to("policy", "version", value=True),
        set_to("policy", "version", value=-1),
        set_to("policy", "enforcement", value="never"),
        set_to("policy", "sources", value={}),
        set_to("policy", "sources", 0, "repository_id", value=""),
        set_to("policy", "sources", 0, "repository_id", value=4242),
        set_to("policy", "sources", 0, value={"issuer": "https://x.test", "repository_id": "1"}),
        set_to("policy", "sources", 1, "repository_id", value="1"),
        set_to("policy", "sources", 1, "subject", value=""),
        set_to("policy", "sources", value=["x"]),
        set_to("trust_map", "levels", value=[]),
        set_to("trust_map", "levels", value={"x": "SLSA_BUILD_LEVEL_9"}),
        set_to("trust_map", "key_is_shared", value=None),
        set_to("project", "id", value="widget"),
        set_to("project", value=None),
        set_to("store", value=""),
        drop("policy", "accepts_release"),
        drop("trust_map", "key_is_shared"),
        drop("project", "id"),
        drop("store"),
    ],
)
def test_refuses_a_document_with_anything_else_in_it(
    change: Callable[[dict[str, Any]], None],
) -> None:
    changed = document()
    change(changed)

    with pytest.raises(MalformedExpectations):
        read_expectations(json.dumps(changed).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 100_000,
        b" " * (MAX_BYTES + 1),
        b'{"store": "a", "store": "b"}',
    ],
    ids=["empty", "list", "null", "no text", "deep", "long", "twice"],
)
def test_refuses_what_is_no_document(content: bytes) -> None:
    with pytest.raises(MalformedExpectations):
        read_expectations(content)
