"""How often somebody may try to log in: by name, and by the address that tries."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import ceil
from typing import Final

from access.errors import TooManyAttempts

WINDOW: Final = timedelta(minutes=15)
MOST_BY_NAME: Final = 10
MOST_BY_ADDRESS: Final = 50


def check_attempts(attempts: Sequence[datetime], *, most: int, now: datetime) -> None:
    """Refuse when more than `most` of these times, this attempt's among them, are in the window.

    Raises:
        TooManyAttempts: they are; with the seconds until the next one is looked at.
    """
    recent = sorted(at for at in attempts if at > now - WINDOW)
    if len(recent) > most:
        free_at = recent[-most - 1] + WINDOW
        raise TooManyAttempts(retry_after_seconds=max(1, ceil((free_at - now).total_seconds())))
