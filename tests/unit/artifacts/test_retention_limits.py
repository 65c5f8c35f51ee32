"""A scheduled retention run …"""

import pytest

from artifacts.domain.retention_limits import RunLimits

LIMITS = RunLimits(most_percent=10, most_bytes=1000)


@pytest.mark.parametrize(
    ("artifacts", "looked_at", "logical_bytes", "beyond"),
    [
        (0, 0, 0, []),
        (10, 100, 1000, []),
        (11, 100, 1000, ["artifacts"]),
        (1, 9, 1, ["artifacts"]),
        (10, 100, 1001, ["bytes"]),
        (100, 100, 2000, ["artifacts", "bytes"]),
    ],
)
def test_waits_for_a_person_beyond_its_limits(
    artifacts: int, looked_at: int, logical_bytes: int, beyond: list[str]
) -> None:
    found = LIMITS.exceeded(artifacts=artifacts, looked_at=looked_at, logical_bytes=logical_bytes)

    assert [one["limit"] for one in found] == beyond


def test_says_limit_and_what_was_found_and_where_to_change_it() -> None:
    [found] = LIMITS.exceeded(artifacts=25, looked_at=200, logical_bytes=0)

    assert found == {
        "limit": "artifacts",
        "most": 20,
        "found": 25,
        "setting": "STRONGROOM_RETENTION_MOST_PERCENT",
    }
