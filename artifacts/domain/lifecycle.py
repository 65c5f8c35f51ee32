"""The states of a build, and the only moves between them.

open → sealed → published, or refused with a reason. Whether a sealed build is being attested
is a fact of its requests (provenance), not a state of its own.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from kernel.errors import Kind, Refusal


class BuildState(StrEnum):
    """Where a build stands; published and refused are final."""

    OPEN = "open"
    SEALED = "sealed"
    PUBLISHED = "published"
    REFUSED = "refused"


MOVES: Final[Mapping[BuildState, frozenset[BuildState]]] = {
    BuildState.OPEN: frozenset({BuildState.SEALED}),
    BuildState.SEALED: frozenset({BuildState.PUBLISHED, BuildState.REFUSED}),
    BuildState.PUBLISHED: frozenset(),
    BuildState.REFUSED: frozenset(),
}


class IllegalMove(Refusal):
    """The build is in a state from which this step is not possible."""

    code = "illegal-move"
    kind = Kind.CONFLICT


def move(current: BuildState, wanted: BuildState) -> BuildState:
    """Give the wanted state if the build may go there from the current one.

    Raises:
        IllegalMove: it may not.
    """
    if wanted not in MOVES[current]:
        raise IllegalMove(current=current, wanted=wanted, possible=sorted(MOVES[current]))
    return wanted
