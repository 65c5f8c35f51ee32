"""A Range header …"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artifacts.domain.ranges import ByteRange, select
from artifacts.errors import RangeNotSatisfiable


@pytest.mark.parametrize(
    ("header", "start", "length"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=0-", 0, 1000),
        ("bytes=999-", 999, 1),
        ("bytes=10-19", 10, 10),
        ("bytes=10-5000", 10, 990),
        ("bytes=-1", 999, 1),
        ("bytes=-5000", 0, 1000),
        ("Bytes = 10 - 19 ", 10, 10),
        ("bytes=0-9999999999999999999", 0, 1000),
    ],
)
def test_selects_one_range(header: str, start: int, length: int) -> None:
    assert select(header, size_bytes=1000) == ByteRange(start, length, 1000)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes=",
        "bytes=-",
        "bytes=a-b",
        "bytes=5-4",
        "bytes=0-1,4-5",
        "items=0-1",
        "bytes=1.0-2",
        "bytes=0x1-2",
        "bytes=\u0661-",
        "bytes=00000000000000000000-1",
    ],
)
def test_is_ignored_where_it_is_not_one_range_of_bytes(header: str | None) -> None:
    assert select(header, size_bytes=1000) is None


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=1000-", 1000), ("bytes=-0", 1000), ("bytes=0-", 0)]
)
def test_is_refused_where_nothing_lies_in_it(header: str, size: int) -> None:
    with pytest.raises(RangeNotSatisfiable) as refused:
        select(header, size_bytes=size)

    assert refused.value.facts == {"size_bytes": size}


def test_gives_all_of_nothing_for_a_suffix_of_an_empty_artifact() -> None:
    assert select("bytes=-5", size_bytes=0) is None


def test_is_answered_with_its_place() -> None:
    assert ByteRange(10, 10, 1000).content_range == "bytes 10-19/1000"


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 40))
def test_selects_what_a_slice_would(first: int, last: int, size: int) -> None:
    data = bytes(range(size))
    try:
        selected = select(f"bytes={first}-{last}", size_bytes=size)
    except RangeNotSatisfiable:
        assert first >= size
        return

    if selected is None:
        assert last < first
    else:
        found = data[selected.start : selected.start + selected.length]
        assert found == data[first : last + 1]
        assert len(found) == selected.length
