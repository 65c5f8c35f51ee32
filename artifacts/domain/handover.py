"""How an artifact's bytes leave the store: through the app, a proxy, or from the bucket."""

from enum import StrEnum

from artifacts.domain.conditions import Conditions
from artifacts.domain.ranges import ByteRange


class Way(StrEnum):
    """Who sends the bytes once the decision is made."""

    STREAM = "stream"
    X_ACCEL = "x-accel"
    REDIRECT = "redirect"


def can_hand_over(conditions: Conditions, *, asked: str | None, selected: ByteRange | None) -> bool:
    """Whether somebody else may answer the rest of the request as we would.

    They know neither our entity tags nor our times, and read some ranges differently: a condition
    that they would judge again, and a range that we have not honoured, stay with the app. Of
    `If-None-Match` they see tags of ours only, which match none of theirs.
    """
    judged_again = (
        conditions.if_match,
        conditions.if_modified_since,
        conditions.if_unmodified_since,
        conditions.if_range,
    )
    return all(one is None for one in judged_again) and (asked is None) == (selected is None)
