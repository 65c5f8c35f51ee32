"""How long the evidence of a build is kept, once files of it are gone for good.

Of a build as a whole: a statement names many of its files, and is about each of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from kernel.errors import Kind, Refusal


class EvidenceRunUnderWay(Refusal):
    """Somebody else is ending evidence at this moment."""

    code = "evidence-run-under-way"
    kind = Kind.CONFLICT


class KeptBy(StrEnum):
    """What keeps evidence; where there is more than one, the first of these is told."""

    STORED = "stored"
    TRASH = "in-trash"
    REQUEST = "awaited"
    HOLD = "legal-hold"
    USE = "in-use"
    TIME = "time"
    DIFFERENCE = "differs"


@dataclass(frozen=True, slots=True)
class Remains:
    """What there is of a build of which a file has gone.

    `is_stored` and `is_in_trash` say that another file has not; `is_awaited` that a statement about
    it is still to be signed. `held_until` and `in_use_until` are of any of its files that are gone,
    None where nothing speaks of them. `is_as_recorded` is whether each bundle is what was recorded.
    """

    last_buried_at: datetime
    is_stored: bool = False
    is_in_trash: bool = False
    is_awaited: bool = False
    held_until: datetime | None = None
    in_use_until: datetime | None = None
    is_as_recorded: bool = True

    def kept_until(self, life: timedelta | None) -> datetime | None:
        """When its time is over, if nothing else keeps it; None is never."""
        return self.last_buried_at + life if life is not None else None

    def kept_by(self, life: timedelta | None, *, now: datetime) -> KeptBy | None:
        """What keeps its bundles now; None where an operator may end them."""
        until = self.kept_until(life)
        applies = {
            KeptBy.STORED: self.is_stored,
            KeptBy.TRASH: self.is_in_trash,
            KeptBy.REQUEST: self.is_awaited,
            KeptBy.HOLD: self.held_until is not None and self.held_until > now,
            KeptBy.USE: self.in_use_until is not None and self.in_use_until > now,
            KeptBy.TIME: until is None or until > now,
            # Nobody but this store could show that it was changed.
            KeptBy.DIFFERENCE: not self.is_as_recorded,
        }
        return next((why for why in KeptBy if applies[why]), None)
