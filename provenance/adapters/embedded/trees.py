"""The two Merkle trees in PostgreSQL: append under a lock, and prove from what is stored.

Nothing here holds a private key, so that any process can serve checkpoints and proofs.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Q

from provenance.domain import merkle
from provenance.domain.merkle import LookUp, Place, Span
from provenance.errors import NoSuchTree, NoSuchTreeSize, SignerUnavailable
from provenance.models import LogCheckpoint, LogLeaf, LogNode, LogTree


@dataclass(frozen=True, slots=True)
class Appended:
    """Leaves that are committed: where they start, and what the tree is with them."""

    start: int
    size: int
    root: bytes
    audit_paths: list[list[bytes]]
    at: datetime


def append(tree: str, bodies: Sequence[bytes], *, clock: Callable[[], datetime]) -> Appended:
    """Commit leaves at the end of a tree, and prove each in the tree that ends with them.

    The tree's row is locked until the commit, so that appends follow each other and the time,
    read under the lock, does not run backwards along the log. Nothing is signed in here.

    Raises:
        SignerUnavailable: the tree was retired; the process must open the new one.
    """
    with transaction.atomic(durable=True):
        row = LogTree.objects.select_for_update().get(pk=tree)
        if row.retired_at is not None:
            raise SignerUnavailable(reason="log-retired", found=tree)
        now = clock()
        start, size = row.size, row.size + len(bodies)
        border = _nodes(tree, merkle.cover(Span(0, start)))
        created = merkle.appended(start, [merkle.leaf_hash(body) for body in bodies], border)
        LogLeaf.objects.bulk_create(
            LogLeaf(tree=row, index=index, body=body, appended_at=now)
            for index, body in enumerate(bodies, start=start)
        )
        LogNode.objects.bulk_create(
            LogNode(tree=row, level=place.level, index=place.position, hash=value)
            for place, value in created.items()
        )
        row.size = size
        row.save(update_fields=["size"])
    # New leaves need no other nodes: a left neighbour is on the old border or has been created.
    look_up: LookUp = (border | created).__getitem__
    return Appended(
        start=start,
        size=size,
        root=merkle.root(size, look_up),
        audit_paths=[merkle.inclusion_proof(index, size, look_up) for index in range(start, size)],
        at=now,
    )


def keep_checkpoint(tree: str, *, size: int, note: str, now: datetime) -> None:
    """Store a checkpoint before it is handed out; a second one of the same size is refused."""
    LogCheckpoint.objects.create(tree_id=tree, size=size, note=note, signed_at=now)


def checkpoint(tree: str) -> str:
    """The newest checkpoint of a tree, as it was signed.

    Raises:
        NoSuchTree: there is no such tree, or nothing in it was signed yet.
    """
    newest = LogCheckpoint.objects.filter(tree=tree).order_by("-size").first()
    if newest is None:
        raise NoSuchTree(found=tree)
    return newest.note


def consistency_proof(tree: str, first: int, second: int) -> list[bytes]:
    """The proof that the tree of `second` leaves begins with the tree of `first` (RFC 9162).

    Raises:
        NoSuchTree: there is no such tree.
        NoSuchTreeSize: `first` is above `second`, or `second` above the tree's size.
    """
    _check_size(tree, smaller=first, larger=second)
    look_up = _look_up(tree, merkle.consistency_spans(first, second))
    return merkle.consistency_proof(first, second, look_up)


def inclusion_proof(tree: str, index: int, size: int) -> list[bytes]:
    """The audit path of a leaf in the tree as it was at `size`.

    Raises:
        NoSuchTree: there is no such tree.
        NoSuchTreeSize: the tree has no such leaf, or has not had that size yet.
    """
    _check_size(tree, smaller=index + 1, larger=size)
    look_up = _look_up(tree, merkle.inclusion_spans(index, size))
    return merkle.inclusion_proof(index, size, look_up)


def _check_size(tree: str, *, smaller: int, larger: int) -> None:
    row = LogTree.objects.filter(pk=tree).first()
    if row is None:
        raise NoSuchTree(found=tree)
    if not 0 <= smaller <= larger <= row.size:
        raise NoSuchTreeSize(found=[smaller, larger], expected=f"0 to {row.size}, ascending")


def _look_up(tree: str, spans: Iterable[Span]) -> LookUp:
    return _nodes(tree, [place for span in spans for place in merkle.cover(span)]).__getitem__


def _nodes(tree: str, places: Sequence[Place]) -> dict[Place, bytes]:
    """The hashes at these places, in one query; a few dozen at most, whatever the tree's size."""
    if not places:
        return {}
    wanted = reduce(or_, (Q(level=place.level, index=place.position) for place in places))
    rows = LogNode.objects.filter(wanted, tree=tree).values_list("level", "index", "hash")
    return {Place(level, index): bytes(value) for level, index, value in rows}
