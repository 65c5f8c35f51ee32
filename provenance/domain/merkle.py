"""Merkle trees of RFC 6962 (and RFC 9162, section 2.1), computed from stored perfect subtrees.

A tree keeps the hash of every perfect subtree. Those never change once they exist, so that any
root, inclusion proof or consistency proof, of the present or the past, is a few of them folded.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

EMPTY_ROOT: Final = hashlib.sha256(b"").digest()


class Place(NamedTuple):
    """Where a perfect subtree stands: level n covers 2^n leaves, from leaf `position` * 2^n on."""

    level: int
    position: int


class Span(NamedTuple):
    """The leaves from `start` up to but not including `end`, as the RFC's D[start:end]."""

    start: int
    end: int


LookUp = Callable[[Place], bytes]


def leaf_hash(body: bytes) -> bytes:
    """The hash of a leaf; the prefix keeps leaves and nodes apart (second preimages)."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def appended(
    size: int, leaf_hashes: Sequence[bytes], known: Mapping[Place, bytes]
) -> dict[Place, bytes]:
    """Every node that appending these leaves to a tree of `size` creates, leaves included.

    `known` needs to hold no more than the nodes at `cover(Span(0, size))`.
    """
    created: dict[Place, bytes] = {}
    for index, leaf in enumerate(leaf_hashes, start=size):
        place, value = Place(0, index), leaf
        created[place] = value
        while place.position % 2 == 1:  # a right child completes its parent
            left = Place(place.level, place.position - 1)
            value = node_hash(created[left] if left in created else known[left], value)
            place = Place(place.level + 1, place.position // 2)
            created[place] = value
    return created


def cover(span: Span) -> tuple[Place, ...]:
    """The perfect subtrees that tile a span, from left to right and so from large to small.

    The span starts where a subtree of its size may start, as all spans of this module do.
    """
    places, start = [], span.start
    remaining = span.end - span.start
    while remaining:
        level = remaining.bit_length() - 1
        places.append(Place(level, start >> level))
        start += 1 << level
        remaining -= 1 << level
    return tuple(places)


def span_hash(span: Span, look_up: LookUp) -> bytes:
    """The hash over a span: MTH(D[start:end])."""
    if span.start == span.end:
        return EMPTY_ROOT
    *lefts, value = (look_up(place) for place in cover(span))
    for left in reversed(lefts):
        value = node_hash(left, value)
    return value


def root(size: int, look_up: LookUp) -> bytes:
    """The root hash that the tree had at `size`."""
    return span_hash(Span(0, size), look_up)


def inclusion_spans(index: int, size: int) -> tuple[Span, ...]:
    """The spans whose hashes are the audit path of a leaf: PATH(m, D[n]), bottom first."""
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} in a tree of {size}")
    path, start, end = [], 0, size
    while end - start > 1:
        middle = start + _left_of(end - start)
        if index < middle:
            path.append(Span(middle, end))
            end = middle
        else:
            path.append(Span(start, middle))
            start = middle
    return tuple(reversed(path))


def consistency_spans(first: int, second: int) -> tuple[Span, ...]:
    """The spans whose hashes prove that the tree of `first` is a prefix: PROOF(m, D[n])."""
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {second} has no prefix of {first}")
    if first == 0:  # the RFC starts at 1; the empty tree is a prefix of every tree
        return ()
    return tuple(_subproof(first, Span(0, second), first_is_known=True))


def inclusion_proof(index: int, size: int, look_up: LookUp) -> list[bytes]:
    """The audit path of leaf `index` in the tree that had `size` leaves."""
    return [span_hash(span, look_up) for span in inclusion_spans(index, size)]


def consistency_proof(first: int, second: int, look_up: LookUp) -> list[bytes]:
    """The proof that the tree of `second` leaves begins with the tree of `first`."""
    return [span_hash(span, look_up) for span in consistency_spans(first, second)]


def _left_of(size: int) -> int:
    """The largest power of two smaller than `size`: how many leaves go left."""
    return 1 << (size - 1).bit_length() - 1


def _subproof(first: int, span: Span, *, first_is_known: bool) -> Iterator[Span]:
    """SUBPROOF(m, D[n], b) of RFC 9162, section 2.1.4.1."""
    if first == span.end:
        if not first_is_known:
            yield span
        return
    middle = span.start + _left_of(span.end - span.start)
    if first <= middle:
        yield from _subproof(first, Span(span.start, middle), first_is_known=first_is_known)
        yield Span(middle, span.end)
    else:
        yield from _subproof(first, Span(middle, span.end), first_is_known=False)
        yield Span(span.start, middle)
