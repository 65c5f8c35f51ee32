"""Why somebody did something that others will ask about."""

from typing import Final

from artifacts.errors import ReasonMissing

LONGEST_REASON: Final = 500


def require_reason(reason: str) -> None:
    """Refuse what says nothing, or more than is kept.

    Raises:
        ReasonMissing: it is empty, or too long.
    """
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        raise ReasonMissing(limit_characters=LONGEST_REASON, observed_characters=len(reason))
