"""From where a change is asked for, and why: told once at the edge, written with each record."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

MOST_ADDRESS: Final = 64
MOST_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Asking:
    """The address that the request came from, and the reason that the asker gave; or neither."""

    address: str = ""
    reason: str = ""


_NOBODY: Final = Asking()
_asking: ContextVar[Asking] = ContextVar("asking", default=_NOBODY)


@contextmanager
def asked(*, address: str, reason: str) -> Iterator[None]:
    """Everything that is recorded inside was asked for so; what is too long is cut."""
    token = _asking.set(Asking(address[:MOST_ADDRESS], reason[:MOST_REASON]))
    try:
        yield
    finally:
        _asking.reset(token)


@contextmanager
def because(reason: str) -> Iterator[None]:
    """What is recorded inside was asked for with this reason, where one is given, from there."""
    with asked(address=asking().address, reason=reason or asking().reason):
        yield


def asking() -> Asking:
    """What holds here; nothing where no request is being answered."""
    return _asking.get()
