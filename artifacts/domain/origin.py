"""Whose files a build takes, and who finds it again: keys made of what was witnessed of a job."""

from typing import Final

from artifacts.errors import CiIdentityMissing
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


def attempt_of(actor: Actor) -> str:
    """Which attempt of its run the actor's job belongs to; empty where that is not witnessed."""
    facts = witnessed_by(actor)
    return facts.run_attempt if facts is not None else ""


def build_key(actor: Actor, *, name: str, is_shared: bool) -> str | None:
    """Who finds a build of this name again: whoever has the same key. None finds none.

    A shared build is the run's, in all its attempts; any other is the job's, which is one of one
    attempt. Where the platform does not tell a job from the others of its attempt, the name does.

    Raises:
        CiIdentityMissing: only a job whose run was witnessed can name or share a build.
        MalformedFacts: the token's facts cannot be read.
    """
    facts = witnessed_by(actor)
    if facts is None:
        if name or is_shared:
            raise CiIdentityMissing(needed=["a CI job's token"])
        return None
    needed = {"repository_id": facts.repository_id, "run_id": facts.run_id}
    if is_shared:
        _require(needed)
        return _run(facts)
    if facts.job_id or not name:
        return origin_of(actor)
    _require({**needed, "run_attempt": facts.run_attempt})
    return f"{_run(facts)}/{facts.run_attempt}"


def is_of_build(
    actor: Actor, *, key: str | None, name: str, is_shared: bool, opened_by: str, origin: str
) -> bool:
    """Whether the actor's job is one of the build's, or its token the one that opened the release.

    Raises:
        MalformedFacts: the token's facts cannot be read.
    """
    if actor.workload is None:
        return origin == RELEASE and actor.name == opened_by
    if key is None:
        return origin == origin_of(actor)
    try:
        return key == build_key(actor, name=name, is_shared=is_shared)
    except CiIdentityMissing:
        return False


def _run(facts: Witnessed) -> str:
    """All jobs of all attempts of one run: issuer and ids, never names that can be given again."""
    return f"{facts.issuer}#{facts.repository_id}/{facts.run_id}"


def _require(needed: dict[str, str]) -> None:
    """An empty part would make one key of many runs."""
    missing = sorted(fact for fact, value in needed.items() if not value)
    if missing:
        raise CiIdentityMissing(needed=missing)
