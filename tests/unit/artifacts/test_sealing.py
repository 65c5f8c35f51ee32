"""Sealing a build …"""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from artifacts.domain.sealing import MOST_SHOWN, Brought, compare, groups
from kernel.digest import Sha256
from provenance.domain.build_facts import Hosting, Witnessed
from provenance.domain.statement import MAX_SUBJECTS, Subject
from tests.factories.facts import witnessed

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def digest(text: str) -> Sha256:
    return Sha256(sha256(text.encode()).hexdigest())


def files(*paths: str) -> dict[str, Sha256]:
    return {path: digest(path) for path in paths}


def brought(
    facts: Witnessed | None, *paths: str, job: str | None = None, minute: int = 0
) -> Brought:
    key = job or (facts.job_key if facts is not None else "release")
    subjects = [Subject(path, digest(path)) for path in paths]
    return Brought(key, facts, NOW + timedelta(minutes=minute), subjects)


def names(*brought_in_order: Brought) -> list[list[str]]:
    return [[subject.name for subject in group.subjects] for group in groups(brought_in_order)]


def test_finds_no_difference_in_equal_sets() -> None:
    assert not compare(files("a", "b"), files("b", "a"))
    assert not compare({}, {})


def test_names_what_is_missing_unexpected_and_different() -> None:
    difference = compare({**files("a", "b"), "c": digest("C")}, files("b", "c", "d"))

    assert difference
    assert difference.facts == {
        "missing": {"count": 1, "files": ["a"]},
        "unexpected": {"count": 1, "files": ["d"]},
        "differing": {
            "count": 1,
            "files": [
                {
                    "path": "c",
                    "expected_sha256": digest("C").hex,
                    "stored_sha256": digest("c").hex,
                }
            ],
        },
    }


def test_bounds_what_it_names_and_counts_all() -> None:
    many = files(*(f"{number:04}" for number in range(2000)))

    facts = compare({}, many).facts

    assert facts["unexpected"] == {"count": 2000, "files": sorted(many)[:MOST_SHOWN]}


def test_makes_one_group_of_a_job_that_renewed_its_token() -> None:
    first, second = witnessed(token_id_sha256="1" * 64), witnessed(token_id_sha256="2" * 64)

    [group] = groups([brought(first, "b", minute=1), brought(second, "a", "c", minute=2)])

    assert [subject.name for subject in group.subjects] == ["a", "b", "c"]
    assert group.facts == first
    assert group.opened_at == NOW + timedelta(minutes=1)


def test_names_a_token_that_brought_something() -> None:
    idle, busy = witnessed(token_id_sha256="1" * 64), witnessed(token_id_sha256="2" * 64)

    [group] = groups([brought(idle), brought(busy, "a", minute=2)])

    assert group.facts == busy


def test_keeps_jobs_apart_whatever_differs() -> None:
    hosted = witnessed()
    for other in (
        witnessed(hosting=Hosting.SELF_HOSTED, job_id="31338"),
        witnessed(hosting=Hosting.SELF_HOSTED),
        witnessed(run_attempt="2"),
        witnessed(confirmed=True),
    ):
        found = groups([brought(hosted, "a"), brought(other, "b")])

        assert [group.facts for group in found] == [hosted, other]
    assert names(brought(hosted, "a"), brought(hosted, "b")) == [["a", "b"]]


def test_joins_no_jobs_that_the_platform_does_not_tell_apart() -> None:
    unknown = witnessed(job_id="")

    assert names(brought(unknown, "a", job="1"), brought(unknown, "b", job="2")) == [["a"], ["b"]]


def test_makes_one_group_of_a_release() -> None:
    [group] = groups([brought(None, "b", "a")])

    assert group.facts is None
    assert [subject.name for subject in group.subjects] == ["a", "b"]


def test_makes_no_group_of_nothing() -> None:
    assert groups([]) == groups([brought(witnessed())]) == []


def test_splits_a_group_where_a_statement_is_full() -> None:
    paths = [f"{number:05}" for number in range(2 * MAX_SUBJECTS + 1)]

    found = groups([brought(witnessed(), *reversed(paths))])

    assert [len(group.subjects) for group in found] == [MAX_SUBJECTS, MAX_SUBJECTS, 1]
    assert [subject.name for group in found for subject in group.subjects] == paths
    assert len({(group.facts, group.opened_at) for group in found}) == 1
