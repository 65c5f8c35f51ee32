"""When to try again, and for how long: what passes, and how the waiting grows. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

# What a proxy or a store says while it is restarted, overrun, or without database, room or keys.
PASSING_STATUSES: Final = frozenset({408, 425, 429, 500, 502, 503, 504, 507})
# The store saw the connection break off; a proxy may hand that on as its answer.
PASSING_CODES: Final = frozenset({"upload-truncated"})


@dataclass(frozen=True, slots=True)
class Patience:
    """How long failures are borne: from the first one in a row, in seconds.

    `first_contact` is for a store that has never answered: its name may simply be mistyped.
    """

    total: float = 300.0
    first_contact: float = 60.0
    first_wait: float = 0.5
    longest_wait: float = 15.0

    def until(self, failed_at: float, *, has_answered: bool) -> float:
        """When to give up, on the clock of `failed_at`."""
        return failed_at + (self.total if has_answered else min(self.total, self.first_contact))

    def wait(self, failures: int, *, asked: float | None, draw: float) -> float:
        """How long to wait after so many failures (from 1); never less than the store asks.

        `draw` is a random number from 0 to 1: clients that failed together come back apart.
        """
        grown: float = min(self.longest_wait, self.first_wait * 2.0 ** min(failures - 1, 20))
        return max(asked or 0.0, grown * (0.5 + draw / 2))


def is_passing(status: int, code: str = "") -> bool:
    """Whether the same request may well be answered otherwise a little later."""
    return status in PASSING_STATUSES or code in PASSING_CODES


def retry_after(headers: Mapping[str, str], *, now: datetime) -> float | None:
    """The seconds that a `Retry-After` header asks for, in either form (RFC 9110, 10.2.3)."""
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
