"""Every step of a verification has words, and its place in exactly one chapter."""

from console.story import CHAPTERS, ladder
from console.words import CONFIRMATION, LADDER, STEPS, level_name
from provenance.domain.builders import Level
from provenance.domain.evidence import StepName
from provenance.models.request import ConfirmationOutcome


def test_has_words_for_every_step() -> None:
    assert set(STEPS) == set(StepName)


def test_has_words_for_whatever_asking_the_platform_came_to() -> None:
    assert set(CONFIRMATION) == set(ConfirmationOutcome.values)


def test_puts_every_step_into_one_chapter() -> None:
    placed = [step for steps in CHAPTERS.values() for step in steps]

    assert sorted(placed) == sorted(StepName)


def test_shows_the_levels_from_the_bottom_up() -> None:
    assert [rung.level for rung in LADDER] == [Level.L0, Level.L1, Level.L2, Level.L3]
    assert [one.is_reached for one in ladder(Level.UNEVALUATED)] == [False] * 4
    assert [one.is_next for one in ladder(Level.UNEVALUATED)] == [True, False, False, False]
    assert [one.is_reached for one in ladder(Level.L2)] == [True, True, True, False]
    assert [one.is_next for one in ladder(Level.L3)] == [False] * 4
    assert level_name(Level.L2) == "SLSA Build L2"
