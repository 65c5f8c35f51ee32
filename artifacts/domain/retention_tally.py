"""What each rule does, counted: in a plan, and in the preview of another policy."""

from dataclasses import dataclass, field
from enum import StrEnum

from artifacts.domain.retention import Cited


class Effect(StrEnum):
    """What another policy does to one artifact, at the moment of the preview.

    `ends` had not expired and would have; `keeps` had expired, is still there, and would not have.
    `sooner` and `later` move a moment that has not come, also to never or from never.
    """

    ENDS = "ends"
    KEEPS = "keeps"
    SOONER = "sooner"
    LATER = "later"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Counted:
    """How many artifacts one rule has one outcome for; None is no rule at all."""

    number: int
    outcome: str
    cited: Cited | None
    artifacts: int
    logical_bytes: int


@dataclass(slots=True)
class Tally:
    """The outcomes of rules, over any number of groups of artifacts; each gets a number."""

    _numbers: dict[tuple[str, Cited | None], int] = field(default_factory=dict)
    _counts: list[tuple[int, int]] = field(default_factory=list)

    def number(self, outcome: str, cited: Cited | None) -> int:
        """The number of the rule's outcome, the same at each call."""
        found = self._numbers.setdefault((outcome, cited), len(self._counts))
        if found == len(self._counts):
            self._counts.append((0, 0))
        return found

    def add(self, outcome: str, cited: Cited | None, artifacts: int, logical_bytes: int) -> None:
        """Count so many more."""
        number = self.number(outcome, cited)
        before = self._counts[number]
        self._counts[number] = (before[0] + artifacts, before[1] + logical_bytes)

    def looked_at(self) -> int:
        """How many artifacts were counted."""
        return sum(artifacts for artifacts, _bytes in self._counts)

    def counted(self) -> list[Counted]:
        """What was found at least once."""
        return [
            Counted(number, outcome, cited, *self._counts[number])
            for (outcome, cited), number in self._numbers.items()
            if self._counts[number][0]
        ]
