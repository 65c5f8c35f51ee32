"""Compare what a store holds with what the rows say, in one pass over two ordered streams."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, Protocol, TypeVar


class Difference(StrEnum):
    """What can be wrong between rows and bytes.

    A blob whose bytes are gone; one whose bytes are others, by size or pin; bytes that no row
    names; an upload that was begun and left; a blob that a legal hold covers and the bucket does
    not hold; one that the bucket holds and no legal hold covers.
    """

    MISSING = "missing"
    DIFFERS = "differs"
    ORPHAN = "orphan"
    ABANDONED = "abandoned"
    UNHELD = "unheld"
    OVERHELD = "overheld"


# What is found, and what a repair does with it.
WORDS: Final[Mapping[Difference, tuple[str, str]]] = {
    Difference.MISSING: ("blobs without bytes", "restore from a whole copy, or mark as damaged"),
    Difference.DIFFERS: ("blobs with other bytes", "restore from a whole copy, or mark as damaged"),
    Difference.ORPHAN: ("bytes without a row", "adopt where a damaged blob needs them, or collect"),
    Difference.ABANDONED: ("uploads that were left", "give up"),
    Difference.UNHELD: ("held by the store only", "let the bucket hold them too"),
    Difference.OVERHELD: ("held by the bucket only", "none: reconcile --release-holds"),
}


class OutOfOrder(ValueError):
    """A stream went backwards: everything would look different, so nothing is said."""


class Keyed(Protocol):
    """Something that stands under a key."""

    @property
    def key(self) -> str: ...


_One = TypeVar("_One", bound=Keyed)
_Other = TypeVar("_Other", bound=Keyed)


def paired(
    ones: Iterable[_One], others: Iterable[_Other]
) -> Iterator[tuple[_One, None] | tuple[None, _Other] | tuple[_One, _Other]]:
    """Everything of both streams, in the order of keys, what has the same key together.

    Each stream is ascending by the bytes of its keys, with none twice; one of each is held.

    Raises:
        OutOfOrder: a stream is not.
    """
    left, right = _ascending(ones), _ascending(others)
    one, other = next(left, None), next(right, None)
    while one is not None and other is not None:
        if one.key < other.key:
            yield one, None
            one = next(left, None)
        elif other.key < one.key:
            yield None, other
            other = next(right, None)
        else:
            yield one, other
            one, other = next(left, None), next(right, None)
    while one is not None:
        yield one, None
        one = next(left, None)
    while other is not None:
        yield None, other
        other = next(right, None)


def _ascending(stream: Iterable[_One]) -> Iterator[_One]:
    before = ""
    for one in stream:
        if one.key <= before:
            raise OutOfOrder(f"{one.key!r} came behind {before!r}")
        before = one.key
        yield one
