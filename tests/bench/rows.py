"""Rows of the benchmark: the same done by each contestant in turn, and what was measured.

A row names the contestant that it is about and the one that it is held against; the ratio of
both, taken round by round, is the figure to quote. The slow do less of it in a round than the
fast, so that each takes its part of the time.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from tests.bench.contestants import Contestant
from tests.bench.load import MEBIBYTE, Body

SMALL: Final = 10 * 1024
CLIENTS: Final = 4
# How long a contestant's part of a round takes about, where it may be less than the whole amount.
PART_SECONDS: Final = 2.0
# The warming round does a tenth of it; from its rate comes how much the others do.
WARMING: Final = 10
# Where a row's time goes, as tests.embedded.family names processes.
WEB: Final = "a web worker"
WORKER: Final = "a pool child of the worker"


@dataclass(frozen=True)
class Amounts:
    """How much one round moves at most."""

    small_files: int = 400
    small_reads: int = 2000
    large_bytes: int = 256 * MEBIBYTE
    builds: int = 200
    verifications: int = 100


@dataclass(frozen=True)
class Trial:
    """One contestant's part of a row: `run` does round N so many times and gives a rate.

    More is better. `most` is how often a round does it at most, by operations.
    """

    contestant: str
    run: Callable[[int, int], float]
    most: int = 1

    def times(self, rate: float) -> int:
        """How often a round does it for whom this was the rate."""
        return max(self.warming, min(self.most, round(rate * PART_SECONDS)))

    @property
    def warming(self) -> int:
        """The same for the warming round."""
        return max(1, self.most // WARMING)


@dataclass(frozen=True)
class Row:
    """Trials that do the same. `busy` is the kind of process in which the store spends the time.

    It is empty where no process can be watched from here.
    """

    name: str
    unit: str
    trials: Sequence[Trial]
    ours: str
    against: str
    busy: str = WEB


@dataclass
class Measured:
    """The rates of a row by contestant, one for each round, in order, and the times a round."""

    row: Row
    rates: dict[str, list[float]] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)

    def median(self, contestant: str) -> float:
        """The middle rate."""
        return statistics.median(self.rates[contestant])

    def ratio(self) -> float:
        """How much of the other's rate ours is: the median of the rounds' own ratios."""
        pairs = zip(self.rates[self.row.ours], self.rates[self.row.against], strict=True)
        return statistics.median(ours / other for ours, other in pairs)


def measure(rows: Sequence[Row], *, rounds: int, say: Callable[[str], None]) -> list[Measured]:
    """Every row, a warming round first; within a round contestants take turns in going first."""
    results = []
    for place, row in enumerate(rows, start=1):
        say(f"{place} of {len(rows)}: {row.name}")
        measured = Measured(row, {trial.contestant: [] for trial in row.trials})
        for trial in row.trials:
            measured.times[trial.contestant] = trial.times(trial.run(0, trial.warming))
        for number in range(1, rounds + 1):
            first = number % len(row.trials)
            for trial in (*row.trials[first:], *row.trials[:first]):
                rate = trial.run(number, measured.times[trial.contestant])
                measured.rates[trial.contestant].append(rate)
        for trial in row.trials:
            say(f"  {trial.contestant} {measured.median(trial.contestant):,.0f} {row.unit}")
        results.append(measured)
    return results


def bodies(one: Contestant, name: str, size: int, count: int) -> list[Body]:
    """So many bodies that only this contestant is sent."""
    return [Body(f"{slug(one.name)}/{name}/{number}", size) for number in range(count)]


def slug(name: str) -> str:
    """A contestant's name as a folder."""
    return "".join(letter if letter.isalnum() else "-" for letter in name.lower())
