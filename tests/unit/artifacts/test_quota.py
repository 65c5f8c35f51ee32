"""A quota …"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from artifacts.domain.quota import SOFT_GRACE, Excess, Limits, Quota, QuotaMalformed, Standing, Use

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
QUOTA = Quota(bytes=Limits(warn=50, soft=80, hard=100), files=Limits(hard=3))


@pytest.mark.parametrize(
    ("physical_bytes", "files", "standing"),
    [
        (49, 2, Standing.WITHIN),
        (50, 2, Standing.WARNED),
        (80, 2, Standing.WARNED),
        (81, 2, Standing.OVER_SOFT),
        (100, 2, Standing.FULL),
        (0, 3, Standing.FULL),
    ],
)
def test_says_how_a_use_stands(physical_bytes: int, files: int, standing: Standing) -> None:
    assert QUOTA.standing(Use(files, 0, physical_bytes)) is standing


def test_counts_distinct_bytes_and_not_how_often_they_are_named() -> None:
    assert QUOTA.standing(Use(1, 10_000, 1)) is Standing.WITHIN


def test_refuses_above_the_hard_limit_at_once() -> None:
    assert QUOTA.excess(Use(3, 0, 100), over_soft_since=None, now=NOW) is None
    assert QUOTA.excess(Use(3, 0, 101), over_soft_since=None, now=NOW) == Excess(
        "bytes", "hard", 100, 101
    )
    assert QUOTA.excess(Use(4, 0, 1), over_soft_since=None, now=NOW) == Excess(
        "files", "hard", 3, 4
    )


def test_refuses_above_the_soft_limit_when_its_time_of_grace_is_over() -> None:
    late = NOW + SOFT_GRACE + timedelta(seconds=1)

    assert QUOTA.excess(Use(1, 0, 81), over_soft_since=NOW, now=NOW + SOFT_GRACE) is None
    assert QUOTA.excess(Use(1, 0, 80), over_soft_since=NOW, now=late) is None
    assert QUOTA.excess(Use(1, 0, 81), over_soft_since=NOW, now=late) == Excess(
        "bytes", "soft", 80, 81
    )


def test_knows_when_the_time_of_grace_runs() -> None:
    assert not QUOTA.is_over_soft(Use(9, 0, 80))
    assert QUOTA.is_over_soft(Use(1, 0, 81))


def test_is_written_and_read_again() -> None:
    assert Quota.parse(QUOTA.document) == QUOTA
    assert Quota.parse({}) == Quota()
    assert Quota.parse(None) is None


@pytest.mark.parametrize(
    "limits", [{"warn": 9, "soft": 8}, {"soft": 9, "hard": 8}, {"warn": 0}, {"warn": 9, "hard": 8}]
)
def test_refuses_limits_that_contradict_each_other(limits: dict[str, Any]) -> None:
    with pytest.raises(QuotaMalformed):
        Quota.parse({"bytes": limits})
