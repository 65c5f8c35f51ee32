"""Open a build: the files that jobs or a release are about to bring (step 1)."""

from dataclasses import dataclass
from datetime import datetime

from artifacts.domain.lifecycle import BuildState, move
from artifacts.domain.origin import attempt_of, origin_of, witnessed_by
from artifacts.domain.refs import searchable
from artifacts.models import Build, Project
from kernel.actor import Actor
from kernel.connections import joins_transaction
from kernel.rows import insert


@dataclass(frozen=True, slots=True)
class FoundBy:
    """How jobs find a build again: everybody with this key asks for it by this name."""

    key: str
    name: str
    is_shared: bool


def open_build(
    *,
    project: Project,
    actor: Actor,
    opened_at: datetime,
    found_by: FoundBy | None = None,
    asked_life_days: int | None = None,
    sealed_at: datetime | None = None,
) -> Build:
    """Open a build; nobody finds again the one of a single file or of a release. Joins.

    `asked_life_days` is how long its files need to be kept at most, where somebody says so.
    `sealed_at` is of a build that gets its only file in this transaction: nobody sees it open.

    Raises:
        IntegrityError: there is one that should have been found.
    """
    joins_transaction("open_build")
    facts = witnessed_by(actor)
    build = Build(
        project=project,
        origin=found_by.key if found_by is not None else origin_of(actor),
        key=found_by.key if found_by is not None else None,
        name=found_by.name if found_by is not None else "",
        is_shared=found_by is not None and found_by.is_shared,
        opened_by=actor.name,
        ref=searchable(facts.ref) if facts is not None else "",
        commit=facts.commit if facts is not None else "",
        asked_life_days=asked_life_days,
        opened_at=opened_at,
    )
    if sealed_at is not None:
        close_build(build=build, actor=actor, now=sealed_at)
    insert(build)
    return build


def close_build(*, build: Build, actor: Actor, now: datetime) -> None:
    """Let the build have no more files than it has; not saved.

    Raises:
        IllegalMove: the build is not open.
    """
    build.state = move(BuildState(build.state), BuildState.SEALED)
    build.sealed_at = now
    build.sealed_in_attempt = attempt_of(actor)
