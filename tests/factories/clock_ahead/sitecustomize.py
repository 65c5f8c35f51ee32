"""Set the clock ahead in every process that has this folder on its PYTHONPATH (moved_clock.py)."""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.utils import timezone

DAYS: Final = Path(os.environ["TEST_DAYS_AHEAD"])
_really_now: Final = timezone.now


def ahead() -> datetime:
    """Now, by this clock."""
    return _really_now() + timedelta(days=int(DAYS.read_text()))


timezone.now = ahead
