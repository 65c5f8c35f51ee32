"""How a direct upload is cut into parts, and whether all of it arrived."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

MEBIBYTE: Final = 1024**2
MOST_PARTS: Final = 10_000  # S3's own limits
MOST_BYTES: Final = 5 * 1024**4
MOST_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """Parts of one size; the last is what is left."""

    size_bytes: int
    part_bytes: int

    @property
    def part_count(self) -> int:
        """How many parts there are."""
        return -(-self.size_bytes // self.part_bytes)

    def bytes_of(self, number: int) -> int:
        """The size of one part (from 1)."""
        return min(self.part_bytes, self.size_bytes - (number - 1) * self.part_bytes)

    def differing(self, arrived: Mapping[int, int]) -> list[int]:
        """Parts, by number, that are missing, have another size, or should not be there."""
        wanted = range(1, self.part_count + 1)
        differing = {number for number in wanted if arrived.get(number) != self.bytes_of(number)}
        return sorted(differing | (arrived.keys() - set(wanted)))


def plan(size_bytes: int, *, part_bytes: int) -> Plan:
    """Parts of the usual size, or of as many whole MiB as 10,000 of them need."""
    needed = -(-size_bytes // MOST_PARTS)
    if needed <= part_bytes:
        return Plan(size_bytes, part_bytes)
    return Plan(size_bytes, -(-needed // MEBIBYTE) * MEBIBYTE)
