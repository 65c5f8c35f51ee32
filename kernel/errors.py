"""Refusals: every anticipated no is a class with a stable code, a kind, and facts."""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """What a refusal means for the caller; front ends render kinds, never classes."""

    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    METHOD = "method"
    CONFLICT = "conflict"
    GONE = "gone"
    LENGTH_REQUIRED = "length-required"
    PRECONDITION = "precondition"
    TOO_LARGE = "too-large"
    UNSUPPORTED = "unsupported"
    RANGE = "range"
    TOO_MANY = "too-many"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"
    NO_SPACE = "no-space"
    UNEXPECTED = "unexpected"


class Refusal(Exception):
    """The request was refused."""

    code: ClassVar[str]
    kind: ClassVar[Kind]

    def __init__(self, **facts: object) -> None:
        super().__init__(facts)
        self.facts = facts

    @classmethod
    def title(cls) -> str:
        """The first line of the class's docstring: one sentence for people."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0]

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.facts.items())
        return f"{self.code}: {self.title()}" + (f" ({shown})" if shown else "")


def all_refusals() -> list[type[Refusal]]:
    """Every refusal that is imported in this process, sorted by code."""
    pending, found = [Refusal], set[type[Refusal]]()
    while pending:
        for child in pending.pop().__subclasses__():
            pending.append(child)
            if hasattr(child, "code"):
                found.add(child)
    return sorted(found, key=lambda refusal: refusal.code)
