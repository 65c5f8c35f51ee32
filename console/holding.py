"""A legal hold in words: what it covers, where it stands, and who wants it lifted; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from artifacts.domain.holds import CONSENT_LIFE, HoldState, Reach, consenting
from artifacts.domain.patterns import Pattern
from console.story import Mark
from console.troubles import Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from artifacts.models import Hold

COVERS: Final[Mapping[str, str]] = {
    "project": "The whole project, and what comes later",
    "paths": "Files whose path is like this pattern, and those that come later",
    "build": "One build",
    "artifact": "One file",
}
_STATES: Final[Mapping[HoldState, tuple[Mark, str]]] = {
    HoldState.ACTIVE: (Mark.PASSED, "holds"),
    HoldState.LIFTED: (Mark.NOTED, "lifted"),
    HoldState.ENDED: (Mark.NOTED, "over"),
}


@dataclass(frozen=True, slots=True)
class Asking:
    """Somebody who wants the hold lifted; until when that counts."""

    who: str
    reason: str
    at: datetime
    until: datetime
    counts: bool


@dataclass(frozen=True, slots=True)
class HoldShown:
    """A hold with its words. `still_needed` persons have to ask before it is lifted."""

    hold: Hold
    covers: str
    what: str
    mark: Mark
    word: str
    is_active: bool
    asking: tuple[Asking, ...]
    still_needed: int
    has_asked: bool


def shown(hold: Hold, path: str, *, persons: int, person: int | None, now: datetime) -> HoldShown:
    """The hold as `person` finds it, where so many persons lift one; `path` is of its one file."""
    state = hold.standing.state(now=now)
    consents = list(hold.consents.all())
    asking = consenting([one.consent for one in consents], now=now)
    covers, what = _covers(hold, path)
    return HoldShown(
        hold,
        covers,
        what,
        *_STATES[state],
        state is HoldState.ACTIVE,
        tuple(
            Asking(
                one.given_by,
                one.reason,
                one.given_at,
                one.given_at + CONSENT_LIFE,
                one.consent.counts(now=now),
            )
            for one in sorted(consents, key=lambda one: one.given_at)
        ),
        max(persons - len(asking), 0),
        person in asking,
    )


def reach_of(covers: str, what: str) -> Reach | Trouble:
    """What a form says that is to be held."""
    match covers:
        case "project":
            return Reach()
        case "paths":
            return Reach(paths=Pattern(what))
        case "build" | "artifact":
            try:
                identity = UUID(what)
            except ValueError:
                return Trouble("/covers", f"the id of one {covers}", what[:100])
            return Reach(build=identity) if covers == "build" else Reach(artifact=identity)
        case _:
            return Trouble("/covers", ", ".join(COVERS), covers[:100])


def end_of(day: str) -> datetime | Trouble | None:
    """The end of that day (YYYY-MM-DD) in UTC; no day is no end."""
    if not day:
        return None
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        return Trouble("/ends_at", "a day as YYYY-MM-DD", day[:100])


def _covers(hold: Hold, path: str) -> tuple[str, str]:
    if hold.artifact_id is not None:
        return "one file", path or str(hold.artifact_id)
    if hold.build_id is not None:
        return "one build", str(hold.build_id)
    if hold.paths is not None:
        return "files like", hold.paths
    return "the whole project", ""
