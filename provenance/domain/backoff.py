"""When a failed attempt is tried again: seconds, minutes, an hour; spread out without dice."""

from datetime import timedelta
from typing import Final
from uuid import UUID

FIRST: Final = timedelta(seconds=2)
LONGEST: Final = timedelta(hours=1)
# Of what is away and will come back: asking again costs little, and somebody waits for it.
LONGEST_IN_AN_OUTAGE: Final = timedelta(minutes=2)


def delay(*, attempts: int, request: UUID, longest: timedelta = LONGEST) -> timedelta:
    """Doubling from 2 seconds to `longest`, plus up to a quarter by which requests differ.

    The part that differs comes from the request's id, so that a thousand requests that failed
    together do not come back together, and a test can still say when.
    """
    doubled = FIRST * (1 << min(max(attempts - 1, 0), 20))
    return min(doubled, longest) * (1 + (request.int % 1000) / 4000)
