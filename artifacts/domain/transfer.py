"""The states of a direct upload, and which of them hold its build open.

open → measuring → stored, or refused because the bytes are others; open or measuring → aborted.
"""

from enum import StrEnum
from typing import Final


class UploadState(StrEnum):
    """Where a direct upload stands; stored, refused and aborted are final."""

    OPEN = "open"
    MEASURING = "measuring"
    STORED = "stored"
    REFUSED = "refused"
    ABORTED = "aborted"


# A build cannot be sealed while one of its uploads is pending, and its path is taken.
PENDING: Final = (UploadState.OPEN, UploadState.MEASURING)
