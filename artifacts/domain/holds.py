"""Legal holds: what one covers, how long it stands, and that nobody lifts one alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from artifacts.domain.patterns import Pattern
from artifacts.domain.retention import NEVER
from kernel.errors import Kind, Refusal

# An old request must not wait for somebody who does not know what was asked.
CONSENT_LIFE: Final = timedelta(days=7)


class ArtifactHeld(Refusal):
    """A legal hold covers the artifact: nothing takes it away while the hold stands."""

    code = "artifact-held"
    kind = Kind.CONFLICT


class HoldNotFound(Refusal):
    """There is no such hold, or none that this token may see."""

    code = "hold-not-found"
    kind = Kind.NOT_FOUND


class HoldNotActive(Refusal):
    """The hold was lifted or has ended already."""

    code = "hold-not-active"
    kind = Kind.CONFLICT


class HoldNeedsAnother(Refusal):
    """Nobody lifts a hold alone: somebody else has to say so too."""

    code = "hold-needs-another"
    kind = Kind.FORBIDDEN


class HoldMalformed(Refusal):
    """This is no hold: what it covers, or its end, cannot be."""

    code = "hold-malformed"
    kind = Kind.INVALID


class HoldState(StrEnum):
    """Whether a hold protects: it does while active, and not once lifted or over."""

    ACTIVE = "active"
    LIFTED = "lifted"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Reach:
    """What of a project a hold covers: one artifact, one build, or paths; naming none, all of it.

    Also what comes later.
    """

    artifact: UUID | None = None
    build: UUID | None = None
    paths: Pattern | None = None

    def covers(self, *, artifact: UUID, build: UUID, path: str) -> bool:
        """Whether this artifact of the project is held."""
        if self.artifact is not None:
            return self.artifact == artifact
        if self.build is not None:
            return self.build == build
        return self.paths is None or self.paths.matches(path)


@dataclass(frozen=True, slots=True)
class Standing:
    """When a hold was lifted, and when it ends by itself; None for not, and for never."""

    lifted_at: datetime | None = None
    ends_at: datetime | None = None

    def state(self, *, now: datetime) -> HoldState:
        """Whether it protects now."""
        if self.lifted_at is not None:
            return HoldState.LIFTED
        if self.ends_at is not None and self.ends_at <= now:
            return HoldState.ENDED
        return HoldState.ACTIVE

    @property
    def until(self) -> datetime | None:
        """Until when it protects, as things stand; None once it was lifted."""
        if self.lifted_at is not None:
            return None
        return self.ends_at if self.ends_at is not None else NEVER


@dataclass(frozen=True, slots=True)
class Consent:
    """Somebody who wants a hold lifted."""

    person: int
    at: datetime

    def counts(self, *, now: datetime) -> bool:
        """Whether it is still young enough to be one of those that lift."""
        return now - self.at < CONSENT_LIFE


def consenting(consents: Iterable[Consent], *, now: datetime) -> frozenset[int]:
    """Who wants the hold lifted, each person once however often they asked."""
    return frozenset(one.person for one in consents if one.counts(now=now))


def is_enough(consents: Iterable[Consent], *, persons: int, now: datetime) -> bool:
    """Whether so many different persons want it lifted. One person is never enough."""
    return len(consenting(consents, now=now)) >= max(persons, 2)
