"""A legal hold …"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from artifacts.domain.holds import (
    CONSENT_LIFE,
    Consent,
    HoldState,
    Reach,
    Standing,
    consenting,
    is_enough,
)
from artifacts.domain.patterns import Pattern
from artifacts.domain.retention import NEVER

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("reach", "covered"),
    [
        (Reach(), True),
        (Reach(artifact=ONE), True),
        (Reach(artifact=OTHER), False),
        (Reach(build=ONE), False),
        (Reach(build=OTHER), True),
        (Reach(paths=Pattern("dist/*")), True),
        (Reach(paths=Pattern("dist")), False),
    ],
)
def test_covers_what_it_names(reach: Reach, *, covered: bool) -> None:
    assert reach.covers(artifact=ONE, build=OTHER, path="dist/a.tar") is covered


def test_stands_until_its_end_or_until_it_is_lifted() -> None:
    later = NOW + timedelta(days=1)

    assert Standing().state(now=NOW) is HoldState.ACTIVE
    assert Standing(ends_at=later).state(now=NOW) is HoldState.ACTIVE
    assert Standing(ends_at=later).state(now=later) is HoldState.ENDED
    assert Standing(lifted_at=NOW, ends_at=later).state(now=later) is HoldState.LIFTED
    assert [Standing().until, Standing(ends_at=later).until] == [NEVER, later]
    assert Standing(lifted_at=NOW).until is None


@pytest.mark.parametrize("persons", [0, 1, 2])
def test_is_never_lifted_by_one_person_alone(persons: int) -> None:
    mine = [Consent(1, NOW), Consent(1, NOW)]

    assert not is_enough(mine, persons=persons, now=NOW)
    assert is_enough([*mine, Consent(2, NOW)], persons=persons, now=NOW)


def test_wants_as_many_persons_as_the_store_says() -> None:
    two = [Consent(1, NOW), Consent(2, NOW)]

    assert not is_enough(two, persons=3, now=NOW)
    assert is_enough([*two, Consent(3, NOW)], persons=3, now=NOW)


def test_forgets_who_wanted_it_lifted_long_ago() -> None:
    old = Consent(1, NOW - CONSENT_LIFE)

    assert consenting([old, Consent(2, NOW)], now=NOW) == {2}
    assert not is_enough([old, Consent(2, NOW)], persons=2, now=NOW)
