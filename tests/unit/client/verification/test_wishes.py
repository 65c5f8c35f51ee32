"""What is acceptable in the end: flags over a policy, and never half of a thing."""

from dataclasses import replace

import pytest

from client.errors import WrongUsage
from client.verification.wishes import Wishes, acceptable
from provenance.domain.builders import Level
from provenance.domain.policy import Source
from tests.unit.provenance.test_expectations import EXPECTED, STORE

HOSTED = f"{STORE}/builders/github/hosted-confirmed/v1"
UNCONFIRMED = f"{STORE}/builders/github/hosted-unconfirmed/v1"
GITLAB = f"{STORE}/builders/gitlab/hosted-confirmed/v1"
REPOSITORY, OWNER = "4242", "77"


def test_is_what_was_pinned_where_nothing_is_said() -> None:
    found = acceptable(Wishes(), EXPECTED)

    assert (found.policy, found.trust_map) == (EXPECTED.policy, EXPECTED.trust_map)
    assert (found.project, found.base_url) == (EXPECTED.project, STORE)


def test_is_nothing_where_nothing_was_pinned_or_said() -> None:
    found = acceptable(Wishes(), None)

    assert (found.policy, found.trust_map, found.source) == (None, None, None)


def test_has_no_policy_where_only_a_builder_is_said() -> None:
    found = acceptable(Wishes(builders=(HOSTED,)), None)

    assert found.policy is None
    assert found.trust_map is not None
    assert found.trust_map.levels == {HOSTED: Level.UNEVALUATED}


def test_takes_the_level_of_a_builder_from_the_map_alone() -> None:
    found = acceptable(Wishes(builders=(HOSTED, UNCONFIRMED)), EXPECTED)

    assert found.trust_map is not None
    assert found.trust_map.levels == {HOSTED: Level.L2, UNCONFIRMED: Level.UNEVALUATED}
    assert found.trust_map.key_is_shared


def test_accepts_no_release_and_no_pinned_source_beside_one_that_is_said() -> None:
    found = acceptable(
        Wishes(builders=(HOSTED,), repository_id=REPOSITORY, owner_id=OWNER), EXPECTED
    )

    assert found.source == Source("", "4242", "77")
    assert found.policy is not None
    assert (found.policy.sources, found.policy.accepts_release) == ((), False)


@pytest.mark.parametrize(
    "wishes",
    [
        Wishes(builders=(HOSTED,), repository_id="4242"),
        Wishes(builders=(HOSTED,), owner_id="77"),
        Wishes(repository_id=REPOSITORY, owner_id=OWNER),
        Wishes(builders=(HOSTED, GITLAB), repository_id=REPOSITORY, owner_id=OWNER),
        Wishes(builders=("https://elsewhere.test/builders/github/hosted-confirmed/v1",)),
        Wishes(builders=("hosted-confirmed",)),
        Wishes(builders=(f"{STORE}/builders/github/unknown/v1",)),
    ],
)
def test_refuses_half_of_a_thing(wishes: Wishes) -> None:
    with pytest.raises(WrongUsage):
        acceptable(wishes, EXPECTED)


def test_trusts_no_builder_that_it_cannot_describe() -> None:
    newer = f"{STORE}/builders/github/hosted-and-isolated/v1"
    levels = {**EXPECTED.trust_map.levels, newer: Level.L3, "https://x.test/b": Level.L3}
    known = replace(EXPECTED, trust_map=replace(EXPECTED.trust_map, levels=levels))

    found = acceptable(Wishes(), known)

    assert found.trust_map is not None
    assert found.trust_map.levels == EXPECTED.trust_map.levels
