"""How much a scheduled retention run may take away before a person has looked at its plan."""

from dataclasses import dataclass
from typing import TypedDict


class Exceeded(TypedDict):
    """A limit, and what of the plan is beyond it; `setting` is where it can be changed."""

    limit: str
    most: int
    found: int
    setting: str


@dataclass(frozen=True, slots=True)
class RunLimits:
    """A share of all artifacts that were looked at, in percent, and logical bytes."""

    most_percent: int
    most_bytes: int

    def exceeded(self, *, artifacts: int, looked_at: int, logical_bytes: int) -> list[Exceeded]:
        """What a run of so many would be beyond; what is exactly at a limit is within it."""
        found: list[Exceeded] = []
        most_artifacts = looked_at * self.most_percent // 100
        if artifacts > most_artifacts:
            found.append(
                {
                    "limit": "artifacts",
                    "most": most_artifacts,
                    "found": artifacts,
                    "setting": "STRONGROOM_RETENTION_MOST_PERCENT",
                }
            )
        if logical_bytes > self.most_bytes:
            found.append(
                {
                    "limit": "bytes",
                    "most": self.most_bytes,
                    "found": logical_bytes,
                    "setting": "STRONGROOM_RETENTION_MOST_BYTES",
                }
            )
        return found
