"""Amounts, as people write them."""

import pytest

from console.amounts import NoAmount, exactly, read_bytes, read_count


@pytest.mark.parametrize(
    ("written", "size_bytes"),
    [
        ("", None),
        ("   ", None),
        ("4096", 4096),
        ("1 byte", 1),
        ("10 GiB", 10 * 1024**3),
        ("10g", 10 * 1024**3),
        (" 1.5 TiB ", 3 * 1024**4 // 2),
        ("0.5 KiB", 512),
    ],
)
def test_reads_bytes_with_their_unit(written: str, size_bytes: int | None) -> None:
    assert read_bytes(written) == size_bytes


@pytest.mark.parametrize(
    "written",
    ["0", "-1", "many", "10 GB", "1.5", "10 GiB more", "9" * 30, "9999999999 TiB", "\u0661\u0660"],
)
def test_refuses_what_is_no_amount_of_bytes(written: str) -> None:
    with pytest.raises(NoAmount):
        read_bytes(written)


@pytest.mark.parametrize("size_bytes", [1, 1023, 1024, 1536, 10 * 1024**3, 5 * 1024**5])
def test_writes_bytes_so_that_they_are_read_again(size_bytes: int) -> None:
    assert read_bytes(exactly(size_bytes)) == size_bytes


@pytest.mark.parametrize(
    ("written", "number"), [("", None), ("5000000", 5_000_000), ("5,000 000", 5_000_000)]
)
def test_reads_counts(written: str, number: int | None) -> None:
    assert read_count(written) == number


@pytest.mark.parametrize("written", ["0", "-1", "1.5", "x", "9" * 30, "\u0661\u0660"])
def test_refuses_what_is_no_count(written: str) -> None:
    with pytest.raises(NoAmount):
        read_count(written)
