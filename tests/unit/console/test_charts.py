"""Figures beside each other."""

from datetime import date

from artifacts.domain.quota import Use
from console.charts import AGE_NAMES, History, Part, bars, by_age


def test_gives_the_largest_part_the_whole_length() -> None:
    parts = [Part(name, Use(1, size, size)) for name, size in (("a", 50), ("b", 200), ("c", 0))]

    assert [one.share for one in bars(parts)] == ["25.00%", "100.00%", "0.00%"]
    assert [one.share for one in bars([Part("none", Use())])] == ["0%"]


def test_shows_every_class_of_age() -> None:
    ages = by_age({"0": [2, 30, 20], "4": [1, 5, 5]})

    assert [one.part.name for one in ages] == list(AGE_NAMES)
    assert ages[0].part.use == Use(2, 30, 20)
    assert ages[1].part.use == Use()


def test_leaves_a_gap_where_nothing_was_measured() -> None:
    days = [(date(2026, 11, day), Use(1, size, size)) for day, size in ((1, 50), (2, 100), (4, 0))]

    history = History.of(days)

    assert [(one.x, one.y, one.height) for one in history.columns] == [
        (0, 50, 50),
        (10, 0, 100),
        (30, 100, 0),
    ]
    assert (history.width, history.most) == (40, 100)
