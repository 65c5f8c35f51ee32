"""How much a batch takes, so that it holds its locks no longer than others can wait."""

from typing import Final

FIRST: Final = 100
# A batch of fewer takes as long as one of so many: what it asks once for all is most of it.
LEAST: Final = 50
# More at once save little. No batch may take a second: the target leaves room for a machine that
# becomes busy while one runs; one that is many times overloaded takes longer for any of them.
MOST: Final = 500
TARGET_SECONDS: Final = 0.25


def next_batch(size: int, *, took_seconds: float) -> int:
    """How many the next batch takes after one of this size: from LEAST to MOST.

    Slower than the target it shrinks in proportion, at once; faster it doubles at most, and not
    where that would miss the target.
    """
    if took_seconds <= 0:
        return min(size * 2, MOST)
    fitting = int(size * TARGET_SECONDS / took_seconds)
    return max(LEAST, min(fitting, size * 2, MOST))
