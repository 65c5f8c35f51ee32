"""How many files builds have, without counting thousands of rows again for each one.

PostgreSQL numbers the transactions that write, and a transaction adds one file at most (`add_file`
says so). So a build has at most as many files more than were counted, as numbers have been given
away since: while that leaves room, there is room.
"""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Final
from uuid import UUID

_KEPT: Final = 1000


@dataclass(frozen=True, slots=True)
class Counted:
    """Files of a build, counted when all transactions below `from_transaction` had ended."""

    files: int
    from_transaction: int

    def has_room(self, *, most_files: int, below_transaction: int) -> bool:
        """Whether a count that sees only transactions below this one must find fewer than these.

        It says no where it cannot know, also when the numbers have gone back: the database is
        another one then.
        """
        since = below_transaction - self.from_transaction
        return since >= 0 and self.files + since < most_files


class FileCounts:
    """What one process has counted last, of so many builds. Safe to be used by several threads."""

    def __init__(self) -> None:
        self._counted: OrderedDict[UUID, Counted] = OrderedDict()
        self._lock = Lock()

    def note(self, build: UUID, counted: Counted) -> None:
        """Remember it instead of what was known, and forget the build noted longest ago."""
        with self._lock:
            self._counted[build] = counted
            self._counted.move_to_end(build)
            if len(self._counted) > _KEPT:
                self._counted.popitem(last=False)

    def has_room(self, build: UUID, *, most_files: int, below_transaction: int) -> bool:
        """As `Counted.has_room`; no for a build of which nothing is known."""
        with self._lock:
            counted = self._counted.get(build)
        return counted is not None and counted.has_room(
            most_files=most_files, below_transaction=below_transaction
        )
