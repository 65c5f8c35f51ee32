"""A trusted publisher is four claims that all agree; an empty one agrees with nothing."""

from dataclasses import replace

import pytest

from access.domain.publishers import (
    Difference,
    PublisherIdentity,
    check_publisher,
    first_difference,
    may_be_disclosed,
)
from access.errors import PublisherNotAllowed
from tests.factories.facts import ISSUER, witnessed

PUBLISHER = PublisherIdentity(ISSUER, "4242", "77", ".github/workflows/release.yml")
NAMES = ["issuer", "repository_id", "owner_id", "workflow_path"]


def test_matches_the_identity_that_it_names() -> None:
    assert first_difference(PUBLISHER, witnessed()) is None


@pytest.mark.parametrize("name", NAMES)
def test_names_the_first_claim_that_differs(name: str) -> None:
    other = replace(PUBLISHER, **{name: "1"})

    assert first_difference(other, witnessed()) == Difference(name, "1", getattr(PUBLISHER, name))


@pytest.mark.parametrize("name", NAMES)
def test_matches_nothing_with_an_empty_claim(name: str) -> None:
    empty = replace(PUBLISHER, **{name: ""})

    assert first_difference(empty, witnessed(**{name: ""})) is not None


def test_refuses_a_re_created_owner() -> None:
    difference = first_difference(PUBLISHER, witnessed(owner_id="78"))

    assert difference == Difference("owner_id", "77", "78")
    assert may_be_disclosed(difference)


@pytest.mark.parametrize(
    ("name", "is_told"), [*zip(NAMES, [False, False, True, True], strict=True)]
)
def test_discloses_a_difference_only_within_the_repository(name: str, is_told: bool) -> None:  # noqa: FBT001 - a table's column
    difference = first_difference(replace(PUBLISHER, **{name: "1"}), witnessed())

    assert difference is not None
    assert may_be_disclosed(difference) is is_told


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("repository_id", ""),
        ("repository_id", "acme/widget"),
        ("owner_id", ""),
        ("owner_id", "acme"),
        ("workflow_path", ""),
        ("workflow_path", "release.yml"),
        ("workflow_path", ".github/workflows/*.yml/x"),
        ("workflow_path", "/.github/workflows/release.yml"),
        ("workflow_path", ".github/workflows/release.yml\n"),
    ],
)
def test_refuses_a_publisher_that_no_token_can_match(name: str, value: str) -> None:
    check_publisher(PUBLISHER)

    with pytest.raises(PublisherNotAllowed) as refused:
        check_publisher(replace(PUBLISHER, **{name: value}))

    assert refused.value.facts["field"] == name
