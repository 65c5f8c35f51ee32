"""The size of a batch …"""

import pytest

from artifacts.domain.pacing import FIRST, LEAST, MOST, TARGET_SECONDS, next_batch


@pytest.mark.parametrize(
    ("size", "took", "following"),
    [
        (LEAST, TARGET_SECONDS, LEAST),
        (100, TARGET_SECONDS / 10, 200),
        (100, 0.0, 200),
        (100, TARGET_SECONDS / 1.5, 150),
        (400, TARGET_SECONDS * 4, 100),
        (MOST, 0.01, MOST),
        (MOST, 60.0, LEAST),
    ],
)
def test_follows_the_time_that_the_last_one_took(size: int, took: float, following: int) -> None:
    assert next_batch(size, took_seconds=took) == following


def test_comes_to_a_size_that_fits_and_stays_there() -> None:
    seconds_each, size = 0.0008, FIRST
    sizes = []

    for _batch in range(10):
        sizes.append(size)
        size = next_batch(size, took_seconds=size * seconds_each)

    assert LEAST < sizes[-1] < MOST
    assert all(one * seconds_each <= TARGET_SECONDS * 1.01 for one in sizes)
    assert sizes[-1] == pytest.approx(TARGET_SECONDS / seconds_each, rel=0.02)
