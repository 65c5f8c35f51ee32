"""The one event of the kernel: the clock's tick."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class SweepDue:
    """It is time to look for work whose message was lost or that has come due."""

    name: ClassVar[str] = "sweep.due"
