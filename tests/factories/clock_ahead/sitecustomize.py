"""Set the clock ahead in every process that has this folder on its PYTHONPATH (moved_clock.py)."""

import os
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final

import jwt.api_jwt
import sigstore._utils
import sigstore.oidc
import sigstore.sign
from django.utils import timezone

DAYS: Final = Path(os.environ["TEST_DAYS_AHEAD"])
_really_now: Final = timezone.now


def _ahead() -> timedelta:
    return timedelta(days=int(DAYS.read_text()))


class _IsAnyDatetime(type):
    def __instancecheck__(cls, one: object) -> bool:
        return isinstance(one, datetime)


class AheadDatetime(datetime, metaclass=_IsAnyDatetime):
    """`datetime` for libraries that judge what the store has signed: by the same clock."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override] # as it is used
        """Now, by this clock."""
        return datetime.now(tz) + _ahead()


def ahead() -> datetime:
    """Now, by this clock."""
    return _really_now() + _ahead()


timezone.now = ahead
for library in (jwt.api_jwt, sigstore._utils, sigstore.oidc, sigstore.sign):  # noqa: SLF001 - above
    setattr(library, "datetime", AheadDatetime)  # noqa: B010 - mypy knows its type
