"""Whose paths an upload claims: within one origin a path is given to one digest only, for ever."""

from typing import Final

from kernel.actor import Actor
from provenance.domain.build_facts import Witnessed

# The origin of what came without CI identity. No job's key looks like it: those start with a URL.
RELEASE: Final = "release"


def origin_of(actor: Actor) -> str:
    """The CI job that the actor's token stood for, or the project's releases."""
    return actor.workload.key if actor.workload is not None else RELEASE


def witnessed_by(actor: Actor) -> Witnessed | None:
    """The verified facts of that job; None without CI identity.

    Raises:
        MalformedFacts: the token's facts cannot be read.
    """
    return Witnessed.from_json(actor.workload.facts) if actor.workload is not None else None
