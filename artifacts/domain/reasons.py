"""Why somebody did something that others will ask about."""

from typing import Final

from kernel.errors import Kind, Refusal

LONGEST_REASON: Final = 500


class ReasonMissing(Refusal):
    """This needs a reason, which is kept with what was done."""

    code = "reason-missing"
    kind = Kind.INVALID


def require_reason(reason: str) -> None:
    """Refuse what says nothing, or more than is kept.

    Raises:
        ReasonMissing: it is empty, or too long.
    """
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise ReasonMissing(limit_characters=LONGEST_REASON, observed_characters=len(reason))
