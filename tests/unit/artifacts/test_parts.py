"""The plan of a direct upload …"""

import pytest

from artifacts.domain.parts import MEBIBYTE, MOST_BYTES, MOST_PARTS, Plan, plan


@pytest.mark.parametrize(
    ("size_bytes", "part_bytes", "count"),
    [
        (1, 16 * MEBIBYTE, 1),
        (16 * MEBIBYTE, 16 * MEBIBYTE, 1),
        (16 * MEBIBYTE + 1, 16 * MEBIBYTE, 2),
        (16 * MEBIBYTE * MOST_PARTS, 16 * MEBIBYTE, MOST_PARTS),
        (16 * MEBIBYTE * MOST_PARTS + 1, 17 * MEBIBYTE, 9412),
        (MOST_BYTES, 525 * MEBIBYTE, 9987),
    ],
)
def test_uses_the_usual_part_as_long_as_there_are_not_too_many(
    size_bytes: int, part_bytes: int, count: int
) -> None:
    made = plan(size_bytes, part_bytes=16 * MEBIBYTE)

    assert (made.part_bytes, made.part_count) == (part_bytes, count)
    assert sum(made.bytes_of(number) for number in (1, count)) <= size_bytes or count == 1
    assert (count - 1) * part_bytes + made.bytes_of(count) == size_bytes


@pytest.mark.parametrize(
    ("arrived", "differing"),
    [
        ({1: 4, 2: 4, 3: 2}, []),
        ({}, [1, 2, 3]),
        ({1: 4, 3: 2}, [2]),
        ({1: 4, 2: 3, 3: 3}, [2, 3]),
        ({1: 4, 2: 4, 3: 2, 4: 1}, [4]),
        ({0: 1, 1: 4, 2: 4, 3: 2}, [0]),
    ],
)
def test_names_what_is_not_as_it_should_be(arrived: dict[int, int], differing: list[int]) -> None:
    assert Plan(10, 4).differing(arrived) == differing
