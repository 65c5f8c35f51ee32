"""A build's key …"""

from typing import Any

import pytest

from artifacts.domain.origin import build_key, is_of_build
from artifacts.errors import CiIdentityMissing
from kernel.actor import Actor, Workload
from tests.factories.facts import witnessed

PERSON = Actor("token:1")


def job(**changes: Any) -> Actor:
    facts = witnessed(**changes)
    return Actor("a job", frozenset(), Workload(facts.job_key, facts.to_json()))


def nameless(token: str, **changes: Any) -> Actor:
    """A job of a platform that does not say which one it is: its key is its token's."""
    facts = witnessed(job_id="", token_id_sha256=token * 64, **changes)
    return Actor("a job", frozenset(), Workload(f"{facts.job_key}token:{token}", facts.to_json()))


def test_is_the_jobs_own_for_all_its_tokens() -> None:
    one = build_key(job(), name="", is_shared=False)

    assert one == build_key(job(token_id_sha256="1" * 64), name="", is_shared=False)
    for other in (job(job_id="1"), job(run_attempt="2"), job(run_id="1"), job(repository_id="1")):
        assert one != build_key(other, name="", is_shared=False)


def test_is_the_runs_where_the_build_is_shared() -> None:
    one = build_key(job(), name="x", is_shared=True)

    for same in (job(job_id="1"), job(run_attempt="2"), nameless("1")):
        assert one == build_key(same, name="x", is_shared=True)
    for other in (job(run_id="1"), job(repository_id="1"), job(issuer="https://other.example")):
        assert one != build_key(other, name="x", is_shared=True)
    assert one != build_key(job(), name="x", is_shared=False)


def test_is_told_apart_by_the_name_where_jobs_are_not() -> None:
    named = build_key(nameless("1"), name="x", is_shared=False)

    assert named == build_key(nameless("2"), name="x", is_shared=False)
    assert named != build_key(nameless("2", run_attempt="2"), name="x", is_shared=False)
    assert named != build_key(nameless("1"), name="x", is_shared=True)
    without = {build_key(nameless(token), name="", is_shared=False) for token in "12"}
    assert len(without) == 2


def test_is_none_for_a_release() -> None:
    assert build_key(PERSON, name="", is_shared=False) is None


@pytest.mark.parametrize(
    ("actor", "needed"),
    [
        (PERSON, ["a CI job's token"]),
        (job(run_id=""), ["run_id"]),
        (job(run_id="", repository_id=""), ["repository_id", "run_id"]),
    ],
)
def test_needs_what_tells_runs_apart(actor: Actor, needed: list[str]) -> None:
    with pytest.raises(CiIdentityMissing) as refused:
        build_key(actor, name="x", is_shared=True)

    assert refused.value.facts == {"needed": needed}


def test_needs_the_attempt_where_the_name_stands_for_the_job() -> None:
    with pytest.raises(CiIdentityMissing) as refused:
        build_key(nameless("1", run_attempt=""), name="x", is_shared=False)
    with pytest.raises(CiIdentityMissing):
        build_key(PERSON, name="x", is_shared=False)

    assert refused.value.facts == {"needed": ["run_attempt"]}


def belongs(actor: Actor, to: Actor, *, name: str = "", is_shared: bool = False) -> bool:
    key = build_key(to, name=name, is_shared=is_shared)
    origin = key or "release"
    return is_of_build(
        actor, key=key, name=name, is_shared=is_shared, opened_by=to.name, origin=origin
    )


def test_says_whose_the_build_is() -> None:
    assert belongs(job(), job())
    assert not belongs(job(job_id="1"), job())
    assert belongs(job(job_id="1"), job(), name="x", is_shared=True)
    assert not belongs(job(run_id="1"), job(), name="x", is_shared=True)
    assert not belongs(job(run_id=""), job(), name="x", is_shared=True)
    assert not belongs(PERSON, job())
    assert not belongs(PERSON, job(), name="x", is_shared=True)


def test_gives_a_release_to_the_token_that_opened_it() -> None:
    assert belongs(PERSON, PERSON)
    assert not belongs(Actor("token:2"), PERSON)
    assert not belongs(job(), PERSON)


def test_gives_the_build_of_a_single_file_to_its_job() -> None:
    single = {"key": None, "name": "", "is_shared": False, "opened_by": "a job"}
    origin = str(build_key(job(), name="", is_shared=False))

    assert is_of_build(job(), **single, origin=origin)  # type: ignore[arg-type]  # one dictionary
    assert not is_of_build(job(job_id="1"), **single, origin=origin)  # type: ignore[arg-type]  # one dictionary
