"""Removals: this store has removed these artifacts, by which rule or by whom, and keeps this.

A predicate of our own, because no specification has one; its type is an address of this store that
says so. It proves what the store says that it did, and not that no copy exists.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from kernel.digest import Sha256
from provenance.domain.attesting import Asked
from provenance.domain.builders import removal_attestor_id
from provenance.domain.statement import Statement, Subject, encode, parse

# A statement of so many stays below a quarter of a megabyte, unless paths are very long.
MOST_REMOVED: Final = 256


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of a retention policy, and which version of whose it was.

    `scope` and `version` are None of what a job itself asked for.
    """

    name: str
    level: str
    scope: UUID | None
    version: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """One artifact that was removed: by a rule since `expired_at`, or by a person for a reason.

    `restorable_until` is until when it could have been taken back.
    """

    artifact: UUID
    build: UUID
    path: str
    digest: Sha256
    size_bytes: int
    stored_at: datetime
    removed_at: datetime
    removed_by: str
    restorable_until: datetime
    expired_at: datetime | None = None
    rule: Rule | None = None
    plan: UUID | None = None
    reason: str = ""

    @property
    def subject(self) -> Subject:
        """What the statement names it: a path is one file in its build only."""
        return Subject(removed_name(build=self.build, path=self.path), self.digest)


def removed_name(*, build: UUID, path: str) -> str:
    """A removed artifact's name in a statement, which may be about files of many builds."""
    return f"{build}/{path}"


def predicate_type(*, base_url: str) -> str:
    """The TypeURI of removals of this store; it answers with what they state."""
    return f"{base_url}/predicates/removal/v1"


def removal(*, project: UUID, removed: Sequence[Removed], base_url: str) -> Statement:
    """The statement that these artifacts of the project were removed; in the order of its subjects.

    Raises:
        ValueError: there are none, or more than a statement names.
    """
    if not 1 <= len(removed) <= MOST_REMOVED:
        raise ValueError(f"a removal names 1 to {MOST_REMOVED} artifacts, not {len(removed)}")
    ordered = sorted(removed, key=lambda one: one.subject)
    return Statement(
        tuple(one.subject for one in ordered),
        predicate_type(base_url=base_url),
        {"project": str(project), "artifacts": [_told(one) for one in ordered]},
    )


def asked_removal(statement: bytes, *, base_url: str) -> Asked:
    """What a signer is asked for: these bytes, as the one who removes.

    Until it is signed, a statement moves with its store: its type is the address of today.

    Raises:
        MalformedStatement: they are none.
    """
    today, asked_for = predicate_type(base_url=base_url), parse(statement)
    if asked_for.predicate_type != today:
        statement = encode(replace(asked_for, predicate_type=today))
    return Asked(today, statement, removal_attestor_id(base_url=base_url), {})


def statement_of(*, project: UUID, removed: Sequence[Removed], base_url: str) -> bytes:
    """`removal` as the exact bytes that are signed."""
    return encode(removal(project=project, removed=removed, base_url=base_url))


MEMBERS: Final[Mapping[str, str]] = {
    "subject": "its name in this statement: the build's id, and the path",
    "artifact": "its id in this store",
    "build": "the id of the build that it was of",
    "path": "its path in that build",
    "sizeBytes": "how many bytes it had",
    "storedAt": "when it was stored (UTC)",
    "expiredAt": "since when it had expired; absent where a person removed it",
    "removedAt": "since when nobody got it (UTC)",
    "removedBy": "who removed it: a person, or whoever started the run",
    "restorableUntil": "until when it could be restored; then its bytes were given up (UTC)",
    "reason": "why, in that person's words; absent where a rule removed it",
    "rule": "the rule that ended it: its name, level, scope and version; absent else",
    "plan": "the retention plan that named it; absent else",
}
_OPTIONAL: Final = frozenset({"expiredAt", "reason", "rule", "plan"})


def first_violation(predicate: Mapping[str, Any], subjects: Sequence[Subject]) -> str:
    """What is wrong with the predicate beside its subjects; empty where nothing is."""
    if set(predicate) != {"project", "artifacts"}:
        return ", ".join(sorted(predicate))
    artifacts = predicate["artifacts"]
    if not isinstance(artifacts, list) or len(artifacts) != len(subjects):
        return "as many artifacts as subjects are needed"
    for one, subject in zip(artifacts, subjects, strict=True):
        if not isinstance(one, dict):
            return "an artifact is no object"
        differing = set(one) ^ MEMBERS.keys()
        if not differing <= _OPTIONAL:
            return ", ".join(sorted(differing - _OPTIONAL))
        if one["subject"] != subject.name or subject.name != f"{one['build']}/{one['path']}":
            return str(one["subject"])
    return ""


def _told(one: Removed) -> dict[str, Any]:
    told = {
        "subject": one.subject.name,
        "artifact": str(one.artifact),
        "build": str(one.build),
        "path": one.path,
        "sizeBytes": one.size_bytes,
        "storedAt": _rfc3339(one.stored_at),
        "removedAt": _rfc3339(one.removed_at),
        "removedBy": one.removed_by,
        "restorableUntil": _rfc3339(one.restorable_until),
        "reason": one.reason or None,
        "expiredAt": _rfc3339(one.expired_at) if one.expired_at is not None else None,
        "rule": _rule(one.rule) if one.rule is not None else None,
        "plan": str(one.plan) if one.plan is not None else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _rule(rule: Rule) -> dict[str, Any]:
    told = {
        "name": rule.name,
        "level": rule.level,
        "scope": str(rule.scope) if rule.scope is not None else None,
        "version": rule.version,
    }
    return {name: value for name, value in told.items() if value is not None}


def _rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
