"""The rank test that the comparison of response times rests on, against values known beforehand."""

import pytest

from tests.bench.absence import mann_whitney


def test_finds_no_difference_between_equal_samples() -> None:
    assert mann_whitney([1, 2, 3], [1, 2, 3]) == 0
    assert mann_whitney([5], [5]) == 0


def test_scores_samples_by_their_ranks() -> None:
    # U = 10,000 where 5,000 is the mean and 100 * 100 * 201 / 12 the variance.
    assert mann_whitney(range(100, 200), range(100)) == pytest.approx(12.2169, abs=0.0001)
    assert mann_whitney(range(100), range(100, 200)) == pytest.approx(-12.2169, abs=0.0001)


def test_corrects_for_equal_values() -> None:
    # Ranks 5.5, 5.5, 5.5 and 8: U = 14.5 where 8 is the mean; ties of three and of four values make
    # the variance 16 / 12 * (9 - (24 + 60) / 56) = 10.
    assert mann_whitney([2, 2, 2, 3], [1, 1, 1, 2]) == pytest.approx(6.5 / 10**0.5)
