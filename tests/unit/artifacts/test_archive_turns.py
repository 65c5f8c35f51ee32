"""Turns at looking into archives …"""

from contextlib import ExitStack

import pytest

from artifacts.adapters.archives.turns import Turns
from artifacts.errors import ArchivesBusy


@pytest.fixture
def turns() -> Turns:
    return Turns(2, setting="SETTING", patience_seconds=0)


def test_refuse_who_comes_when_all_are_taken(turns: Turns) -> None:
    with turns.take(), turns.take(), pytest.raises(ArchivesBusy) as refused, turns.take():
        pass

    assert refused.value.facts == {
        "limit_archives": 2,
        "setting": "SETTING",
        "raised_by": "the operator of this store",
    }


def test_are_free_again_however_they_ended(turns: Turns) -> None:
    for _ in range(3):
        with pytest.raises(KeyError), turns.take():
            raise KeyError

    with ExitStack() as taken:
        taken.enter_context(turns.take())
        taken.enter_context(turns.take())
