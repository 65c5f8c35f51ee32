"""When a failed attempt is tried again: from seconds to an hour, spread out without dice."""

from datetime import timedelta
from typing import Final
from uuid import UUID

FIRST: Final = timedelta(seconds=2)
LONGEST: Final = timedelta(hours=1)


def delay(*, attempts: int, request: UUID) -> timedelta:
    """Doubling from 2 seconds to an hour, plus up to a quarter by which requests differ.

    The part that differs comes from the request's id, so that a thousand requests that failed
    together do not come back together, and a test can still say when.
    """
    doubled = FIRST * (1 << min(max(attempts - 1, 0), 20))
    return min(doubled, LONGEST) * (1 + (request.int % 1000) / 4000)
