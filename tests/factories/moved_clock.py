"""The clock of a whole running store, set ahead by days.

All of the store asks `django.utils.timezone` for the time; that answer is changed in its processes,
and with it that of the libraries that judge what it signs.
PostgreSQL, Celery, tokens of issuers and certificates of others go on as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HOOK: Final = Path(__file__).parent / "clock_ahead"


@dataclass(frozen=True, slots=True)
class MovedClock:
    """What the file says, all processes of the store read whenever they ask for the time."""

    file: Path

    @property
    def settings(self) -> Mapping[str, str]:
        """The environment of a store that goes by this clock."""
        return {"PYTHONPATH": str(_HOOK), "TEST_DAYS_AHEAD": str(self.file)}

    def set_ahead(self, days: int) -> None:
        """So many days from the real time, from now on."""
        draft = self.file.with_suffix(".draft")
        draft.write_text(str(days))
        draft.replace(self.file)
