"""Two ordered streams are compared in one pass …"""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.domain.reconciliation import OutOfOrder, paired


@dataclass(frozen=True)
class Row:
    key: str


def rows(*keys: str) -> list[Row]:
    return [Row(key) for key in keys]


@given(ones=st.sets(st.text(min_size=1, max_size=3)), others=st.sets(st.text(min_size=1)))
def test_pairs_what_is_in_both_and_tells_what_is_in_one(ones: set[str], others: set[str]) -> None:
    found = list(paired(rows(*sorted(ones)), rows(*sorted(others))))

    assert {one.key for one, other in found if one and other} == ones & others
    assert {one.key for one, other in found if one and not other} == ones - others
    assert {other.key for one, other in found if other and not one} == others - ones
    assert len(found) == len(ones | others)


@pytest.mark.parametrize("keys", [("b", "a"), ("a", "a")])
def test_refuses_a_stream_that_goes_backwards_or_stands_still(keys: tuple[str, ...]) -> None:
    with pytest.raises(OutOfOrder):
        list(paired(rows(*keys), rows()))
    with pytest.raises(OutOfOrder):
        list(paired(rows(), rows(*keys)))
