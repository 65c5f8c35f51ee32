"""Quotas: how much an organization or a project may have, and what follows from having more.

Limits are on its own distinct digests and on its files, never on what others happen to have: a
quota that knew of foreign bytes would tell of them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from kernel.errors import Kind, Refusal

# How long more than the soft limit is taken before it refuses, as the hard one does at once.
SOFT_GRACE: Final = timedelta(days=7)


class QuotaMalformed(Refusal):
    """Limits are positive numbers, and warn is at most soft, and soft at most hard."""

    code = "quota-malformed"
    kind = Kind.INVALID


class Standing(StrEnum):
    """How a use stands to its quota: the worst that is true."""

    WITHIN = "within"
    WARNED = "warned"
    OVER_SOFT = "over-soft"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one thing that is counted. None is no limit.

    From `warn` on the use is shown as a warning, above `soft` uploads are refused after a week, and
    above `hard` at once.
    """

    warn: int | None = None
    soft: int | None = None
    hard: int | None = None

    def standing(self, used: int) -> Standing:
        """Of so much."""
        if self.hard is not None and used >= self.hard:
            return Standing.FULL
        if self.soft is not None and used > self.soft:
            return Standing.OVER_SOFT
        return Standing.WARNED if self.warn is not None and used >= self.warn else Standing.WITHIN


@dataclass(frozen=True, slots=True)
class Use:
    """What there is: files, their bytes each counted, and the bytes of distinct digests."""

    files: int = 0
    logical_bytes: int = 0
    physical_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Excess:
    """The limit that a use would exceed: of what (`bytes`, `files`), which, and the figures."""

    unit: str
    level: str
    limit: int
    used: int


@dataclass(frozen=True, slots=True)
class Quota:
    """What an organization or a project may have."""

    bytes: Limits = field(default_factory=Limits)
    files: Limits = field(default_factory=Limits)

    @classmethod
    def parse(cls, document: Mapping[str, Any] | None) -> "Quota | None":
        """As a row has it; None where there is none.

        Raises:
            QuotaMalformed: the limits contradict each other, or are none.
        """
        if document is None:
            return None
        quota = cls(*(Limits(**(document.get(unit) or {})) for unit in ("bytes", "files")))
        for unit, limits in (("bytes", quota.bytes), ("files", quota.files)):
            given = [one for one in (limits.warn, limits.soft, limits.hard) if one is not None]
            if given != sorted(given) or any(one < 1 for one in given):
                raise QuotaMalformed(unit=unit, found=given)
        return quota

    @property
    def document(self) -> dict[str, dict[str, int | None]]:
        """For the row, and for who asks."""
        return asdict(self)

    def standing(self, use: Use) -> Standing:
        """Of bytes and files, the worse."""
        order = list(Standing)
        both = (self.bytes.standing(use.physical_bytes), self.files.standing(use.files))
        return max(both, key=order.index)

    def is_over_soft(self, use: Use) -> bool:
        """Whether it is above a soft limit, so that the time of grace runs."""
        return any(
            limits.soft is not None and used > limits.soft
            for limits, used in ((self.bytes, use.physical_bytes), (self.files, use.files))
        )

    def excess(self, use: Use, *, over_soft_since: datetime | None, now: datetime) -> Excess | None:
        """The first limit that this use, with what is to be added, is above; None if it may be."""
        is_late = over_soft_since is not None and over_soft_since + SOFT_GRACE < now
        for unit, limits, used in (
            ("bytes", self.bytes, use.physical_bytes),
            ("files", self.files, use.files),
        ):
            if limits.hard is not None and used > limits.hard:
                return Excess(unit, "hard", limits.hard, used)
            if is_late and limits.soft is not None and used > limits.soft:
                return Excess(unit, "soft", limits.soft, used)
        return None
