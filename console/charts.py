"""Figures beside each other, so that they can be compared at a glance. Pure.

Every chart stands beside the same figures as text: a shape says nothing that is not written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Self

from artifacts.domain.quota import Use

AGE_NAMES: Final = (
    "up to 7 days",
    "8 to 30 days",
    "31 to 90 days",
    "91 to 365 days",
    "over a year",
)
# Units of the drawing, which is stretched to the page's width.
COLUMN: Final = 10
HEIGHT: Final = 100


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a whole; `pending_free_bytes` is of those kinds that tell it apart."""

    name: str
    use: Use
    url: str = ""
    pending_free_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Bar:
    """A part with its share of the largest one, as SVG reads it."""

    part: Part
    share: str


@dataclass(frozen=True, slots=True)
class Column:
    """A day of a history, in the drawing's units from its upper left corner."""

    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class History:
    """Days with what there was, the oldest first, and a column for each."""

    days: Sequence[tuple[date, Use]]
    columns: Sequence[Column]
    width: int
    most: int

    @classmethod
    def of(cls, days: Sequence[tuple[date, Use]]) -> Self:
        """A day without a figure is a gap, not nothing."""
        most = max((use.physical_bytes for _day, use in days), default=0)
        first = days[0][0] if days else None
        columns = []
        for day, use in days:
            place = (day - first).days if first is not None else 0
            height = round(HEIGHT * use.physical_bytes / most) if most else 0
            columns.append(Column(place * COLUMN, HEIGHT - height, height))
        return cls(days, columns, columns[-1].x + COLUMN if columns else COLUMN, most)


def bars(parts: Sequence[Part]) -> list[Bar]:
    """In the same order; the largest has the whole length."""
    most = max((one.use.physical_bytes for one in parts), default=0)
    return [
        Bar(one, f"{100 * one.use.physical_bytes / most:.2f}%" if most else "0%") for one in parts
    ]


def by_age(ages: Mapping[str, Sequence[int]]) -> list[Bar]:
    """Every class of age, also those with nothing, the youngest first."""
    return bars(
        [Part(name, Use(*ages.get(str(place), ()))) for place, name in enumerate(AGE_NAMES)]
    )


def sum_of(ages: Mapping[str, Sequence[int]]) -> Use:
    """All classes of age together."""
    figures = [Use(*one) for one in ages.values()]
    return Use(
        sum(one.files for one in figures),
        sum(one.logical_bytes for one in figures),
        sum(one.physical_bytes for one in figures),
    )
