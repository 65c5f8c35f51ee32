"""One act on many artifacts: which acts there are, of what they ask, and what came of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from artifacts.domain.retention import Conditions
from artifacts.domain.retention_document import (
    CONDITIONS,
    MalformedRetentionPolicy,
    read_conditions,
)
from kernel.actor import Permission
from kernel.errors import Kind, Refusal


class BulkActionNotFound(Refusal):
    """There is no such bulk action, or none that this token may see."""

    code = "bulk-action-not-found"
    kind = Kind.NOT_FOUND


class BulkActionDiffers(Refusal):
    """What was confirmed is not what would happen now: the project or the number is another."""

    code = "bulk-action-differs"
    kind = Kind.CONFLICT


class MalformedSelection(Refusal):
    """This selects no artifacts: `place` says where, as a JSON pointer (RFC 6901)."""

    code = "malformed-selection"
    kind = Kind.INVALID


class Act(StrEnum):
    """What can be done to many at once: the same as to one."""

    REMOVE = "remove"
    RESTORE = "restore"
    YANK = "yank"
    UNYANK = "unyank"
    QUARANTINE = "quarantine"
    RELEASE = "release"

    @property
    def permission(self) -> Permission:
        """What it takes, on the project; the same as for one artifact."""
        return Permission.OWN if self in (Act.REMOVE, Act.RESTORE) else Permission.ADMINISTER


class Outcome(StrEnum):
    """What comes of one artifact: it is done, or why it is left as it is.

    GONE is no longer where the act looks for it; ALREADY_SO needs nothing; QUOTA has no room.
    """

    DONE = "done"
    GONE = "gone"
    HELD = "held"
    IN_USE = "in-use"
    KEPT = "kept"
    IMMUTABLE = "immutable"
    NOT_PUBLISHED = "not-published"
    ALREADY_SO = "already-so"
    QUOTA = "quota"


class BulkRunState(StrEnum):
    """Where a run stands; all but `running` are final."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"


# By how many artifacts each outcome has; those of none are left out.
Counts = Mapping[Outcome, int]


@dataclass(frozen=True, slots=True)
class Selection:
    """Of which artifacts of a project: those of which everything that is named here is true.

    `idle_since` asks for those that were neither stored nor downloaded from then on; `plan` for
    those that a retention plan took away, which are in the trash.
    """

    conditions: Conditions
    stored_before: datetime | None = None
    stored_after: datetime | None = None
    idle_since: datetime | None = None
    plan: UUID | None = None


_MOMENTS: Final = ("stored_before", "stored_after", "idle_since")
SELECTED_BY: Final = (*CONDITIONS, *_MOMENTS, "plan")


def read_selection(document: object, *, act: Act) -> Selection:
    """Read a selection as it is written, in JSON; an empty one is all that the act can be done to.

    Its conditions are those of retention rules (`retention_document`).

    Raises:
        MalformedSelection: something in it is unknown, or cannot be.
    """
    if not isinstance(document, dict):
        raise _malformed("", "an object", document)
    for name in document:
        if name not in SELECTED_BY:
            escaped = str(name)[:100].replace("~", "~0").replace("/", "~1")
            raise _malformed(f"/{escaped}", "one of " + ", ".join(SELECTED_BY), name)
    if "plan" in document and act is not Act.RESTORE:
        raise _malformed("/plan", f"nothing, unless the action is {Act.RESTORE}", document["plan"])
    asked = {name: value for name, value in document.items() if name in CONDITIONS}
    try:
        conditions = read_conditions(asked)
    except MalformedRetentionPolicy as refusal:
        raise MalformedSelection(**refusal.facts) from refusal
    moments = {name: _moment(document[name], f"/{name}") for name in _MOMENTS if name in document}
    plan = _identity(document["plan"], "/plan") if "plan" in document else None
    return Selection(conditions, **moments, plan=plan)


def _moment(found: object, place: str) -> datetime:
    try:
        moment = datetime.fromisoformat(found) if isinstance(found, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise _malformed(place, "a time with its offset, as 2026-01-31T09:30:00Z", found)
    return moment


def _identity(found: object, place: str) -> UUID:
    try:
        if isinstance(found, str):
            return UUID(found)
    except ValueError:
        pass
    raise _malformed(place, "the id of a retention plan", found)


def _malformed(place: str, expected: str, found: Any) -> MalformedSelection:  # noqa: ANN401 - JSON
    return MalformedSelection(place=place, expected=expected, found=repr(found)[:100])
