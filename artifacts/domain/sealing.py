"""What sealing a build decides: are these the files, and which statements speak of them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from kernel.digest import Sha256
from provenance.domain.build_facts import Witnessed
from provenance.domain.statement import MAX_SUBJECTS, Subject

# Each list of an answer ends here, and its count goes on: a build of thousands of files that was
# sealed with an empty set must not be answered with all of them.
MOST_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """How the files that a build should have differ from those that it has."""

    missing: Sequence[str]
    unexpected: Sequence[str]
    differing: Sequence[Mapping[str, str]]

    def __bool__(self) -> bool:
        return bool(self.missing or self.unexpected or self.differing)

    @property
    def facts(self) -> dict[str, object]:
        """The same for an answer: the first of each list by path, and how many there are."""
        return {
            name: {"count": len(listed), "files": list(listed[:MOST_SHOWN])}
            for name, listed in (
                ("missing", self.missing),
                ("unexpected", self.unexpected),
                ("differing", self.differing),
            )
        }


def compare(expected: Mapping[str, Sha256], stored: Mapping[str, Sha256]) -> Difference:
    """Hold the expected set of paths and digests against the stored one; false when equal."""
    return Difference(
        missing=sorted(expected.keys() - stored.keys()),
        unexpected=sorted(stored.keys() - expected.keys()),
        differing=[
            {"path": path, "expected_sha256": expected[path].hex, "stored_sha256": stored[path].hex}
            for path in sorted(expected.keys() & stored.keys())
            if expected[path] != stored[path]
        ],
    )


@dataclass(frozen=True, slots=True)
class Brought:
    """The files that came with one token, and what was witnessed of it.

    `job` is the job's key: where a platform tells no jobs apart, equal facts do not prove one job.
    """

    job: str
    facts: Witnessed | None
    joined_at: datetime
    subjects: Sequence[Subject]


@dataclass(frozen=True, slots=True)
class Group:
    """The files of one statement, and the facts that it states of all of them."""

    subjects: Sequence[Subject]
    facts: Witnessed | None
    opened_at: datetime


def groups(brought: Iterable[Brought]) -> list[Group]:
    """One group for all files with identical witnessed facts, split where a statement is full.

    Takes the tokens in the order in which they came. A job that renewed its token stays one group:
    its statements name the first token that brought a file, and start when that one came. Jobs
    never share a group, so that no file borrows another job's facts.
    """
    together: dict[tuple[str, Witnessed | None], list[Brought]] = {}
    for one in brought:
        if one.subjects:
            facts = one.facts.without_token() if one.facts is not None else None
            together.setdefault((one.job, facts), []).append(one)
    return [group for same in together.values() for group in _statements(same)]


def _statements(same: Sequence[Brought]) -> Iterator[Group]:
    first = same[0]
    subjects = sorted(subject for one in same for subject in one.subjects)
    for start in range(0, len(subjects), MAX_SUBJECTS):
        yield Group(subjects[start : start + MAX_SUBJECTS], first.facts, first.joined_at)
