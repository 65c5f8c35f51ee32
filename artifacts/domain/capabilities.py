"""What a bucket must be able to do, and what follows where it cannot."""

from collections.abc import Mapping
from typing import Final

DIRECT: Final = "no direct uploads"
THROUGH_THE_APP: Final = "uploads through the store rest on keys that are used once"
HISTORY: Final = "whoever may write to the bucket can destroy bytes; downloads notice it"
HELD_HERE: Final = "legal holds bind the store alone; the bucket could still lose what is held"
LEGAL_HOLD: Final = "legal-hold"

# What follows for each promise that is not kept.
CONSEQUENCES: Final[Mapping[str, str]] = {
    "conditional-put": THROUGH_THE_APP,
    "put-checksum": "bytes that change on their way are noticed when they are downloaded",
    "pinned-read": DIRECT,
    "conditional-complete": DIRECT,
    "part-checksum": DIRECT,
    "list-parts": DIRECT,
    "abort": DIRECT,
    "second-completion": DIRECT,
    "late-part": DIRECT,
    "part-in-flight": DIRECT,
    "versioning": HISTORY,
    "object-lock": HISTORY,
    LEGAL_HOLD: HELD_HERE,
}

NEEDED_FOR_DIRECT: Final = frozenset(
    name for name, consequence in CONSEQUENCES.items() if consequence is DIRECT
)


def missing_for_direct(found: Mapping[str, bool]) -> list[str]:
    """What direct uploads need and the bucket does not do; what was not tried counts as missing."""
    return sorted(name for name in NEEDED_FOR_DIRECT if not found.get(name, False))
