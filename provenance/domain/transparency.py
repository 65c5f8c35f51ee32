"""Where a project's statements are recorded when they are signed, and who may not be seen there.

A public log forgets nothing, and it is not only the log: a public certificate authority writes
each certificate, with the repository and the workflow in it, into public certificate logs. So a
signer is public or private as a whole.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final, TypeVar

from provenance.errors import SignerRefused

Value = TypeVar("Value")


class Transparency(StrEnum):
    """What a project's owner chooses, and what a signer is declared to be."""

    PUBLIC_LOG = "public-log"
    PRIVATE_LOG = "private-log"
    TIMESTAMP_ONLY = "timestamp-only"


# What nobody has chosen publishes nothing.
DEFAULT: Final = Transparency.PRIVATE_LOG


def permitted(chosen: Transparency, *, is_public: bool) -> Transparency:
    """Where a project's statements may go now: a private project's never into a public log."""
    if chosen is Transparency.PUBLIC_LOG and not is_public:
        return DEFAULT
    return chosen


def fitting(signers: Mapping[Transparency, Value], wanted: Transparency) -> Value | None:
    """The signer that is declared to be exactly what is wanted; never the next best."""
    return signers.get(wanted)


def require_place(wanted: Transparency, *, declared: Collection[Transparency]) -> None:
    """Have a signer refuse what is meant for another place than those that it is declared to be.

    Raises:
        SignerRefused: with what is wanted, and what the signer is.
    """
    if wanted not in declared:
        raise SignerRefused(
            reason="transparency-differs", expected=wanted.value, found=", ".join(sorted(declared))
        )
