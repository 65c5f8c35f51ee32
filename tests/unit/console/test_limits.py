"""A quota as a form."""

import pytest

from artifacts.domain.quota import Limits, Quota, Use
from console.limits import form_of, read, refuses

QUOTA = Quota(bytes=Limits(warn=1024, soft=2048, hard=1024**3), files=Limits(hard=5))


def test_is_read_as_it_was_written() -> None:
    written = {one.name: one.value for one in form_of(QUOTA).fields}

    assert written["bytes_hard"] == "1 GiB"
    assert read(written).quota == QUOTA


def test_limits_nothing_when_it_is_empty() -> None:
    form = read({})

    assert (form.quota, form.is_wrong) == (None, False)


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ({"bytes_hard": "much"}, {"bytes_hard"}),
        ({"files_warn": "1.5", "bytes_soft": "-1"}, {"files_warn", "bytes_soft"}),
        ({"bytes_warn": "2 GiB", "bytes_hard": "1 GiB"}, {"bytes_hard"}),
        ({"bytes_warn": "3 GiB", "bytes_soft": "2 GiB", "bytes_hard": "3 GiB"}, {"bytes_soft"}),
    ],
)
def test_says_at_its_field_what_is_wrong(written: dict[str, str], wrong: set[str]) -> None:
    form = read(written)

    assert {one.name for one in form.fields if one.error} == wrong
    assert form.quota is None
    assert form.is_wrong


@pytest.mark.parametrize(
    ("use", "sentences"),
    [
        (Use(1, 1, 1), 0),
        (Use(5, 1, 1), 1),
        (Use(5, 1, 4096), 2),
        (Use(1, 1, 1024**3), 1),
    ],
)
def test_says_what_it_would_refuse(use: Use, sentences: int) -> None:
    assert len(refuses(QUOTA, use)) == sentences
    assert refuses(None, use) == []
