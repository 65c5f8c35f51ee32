"""An act on many files in words, and the form that asks for one; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from artifacts.domain.bulk import Act, BulkRunState, Outcome
from artifacts.domain.lifecycle import BuildState
from console.amounts import NoAmount, read_bytes
from console.story import Mark
from console.troubles import Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from artifacts.models import BulkRun


@dataclass(frozen=True, slots=True)
class ActWords:
    """An act for people: what one asks for, what it means, and what has been done by it."""

    label: str
    means: str
    done: str
    is_danger: bool = False


ACTS: Final[Mapping[Act, ActWords]] = {
    Act.REMOVE: ActWords(
        "Remove",
        "Nobody gets them any more. They can be restored from the trash for a while; then they are "
        "gone, and their names are never given to other bytes.",
        "removed",
        is_danger=True,
    ),
    Act.RESTORE: ActWords(
        "Restore", "They come back from the trash, and no rule takes them for a while.", "restored"
    ),
    Act.YANK: ActWords(
        "Yank",
        "Lists and latest leave them out. Who names one exactly still gets it, with a warning.",
        "yanked",
        is_danger=True,
    ),
    Act.UNYANK: ActWords("Show again", "Lists and latest have them again.", "shown again"),
    Act.QUARANTINE: ActWords(
        "Quarantine",
        "Nobody gets their bytes until they are released.",
        "put into quarantine",
        is_danger=True,
    ),
    Act.RELEASE: ActWords("Release", "They are handed out again, as the policy says.", "released"),
}
# Why files stay as they are.
LEFT: Final[Mapping[Outcome, str]] = {
    Outcome.HELD: "on legal hold",
    Outcome.IN_USE: "declared to be in use",
    Outcome.KEPT: "kept by a rule",
    Outcome.IMMUTABLE: "with names that are never taken back",
    Outcome.NOT_PUBLISHED: "of builds that have not ended",
    Outcome.ALREADY_SO: "so already",
    Outcome.GONE: "not there any more",
    Outcome.QUOTA: "without room in the quota",
}
_RUNS: Final[Mapping[str, tuple[Mark, str]]] = {
    BulkRunState.RUNNING: (Mark.WAITING, "under way"),
    BulkRunState.DONE: (Mark.PASSED, "done"),
    BulkRunState.CANCELLED: (Mark.NOTED, "cancelled"),
}
_DAYS: Final = ("stored_before", "stored_after", "idle_since")
# The form's fields as they are called in a selection; of paths and refs it offers one pattern.
FIELDS: Final = ("paths", "refs", "outcomes", "size_from_bytes", *_DAYS, "plan")
OUTCOMES: Final = (BuildState.PUBLISHED.value, BuildState.REFUSED.value)


@dataclass(frozen=True, slots=True)
class Counted:
    """So many files, and what comes of them in words."""

    outcome: Outcome
    word: str
    files: int


def standing(run: BulkRun | None, *, is_forgotten: bool) -> tuple[Mark, str]:
    """Where an act on many files stands."""
    if is_forgotten:
        return Mark.NOTED, "forgotten"
    return (Mark.WAITING, "not started") if run is None else _RUNS[run.state]


def counted(act: Act, outcomes: Mapping[str, int]) -> list[Counted]:
    """What comes of the files, what is done first."""
    words = {Outcome.DONE: ACTS[act].done, **LEFT}
    return [
        Counted(outcome, word, outcomes[outcome])
        for outcome, word in words.items()
        if outcomes.get(outcome)
    ]


def selection_of(fields: Mapping[str, str]) -> dict[str, Any] | Trouble:
    """What the form selects, as the document that the use case reads; or what it cannot say."""
    selection: dict[str, Any] = {
        name: [fields[name]] for name in ("paths", "refs", "outcomes") if fields.get(name)
    }
    try:
        size = read_bytes(fields.get("size_from_bytes", ""))
    except NoAmount as error:
        return Trouble("/size_from_bytes", str(error), fields["size_from_bytes"][:100])
    if size is not None:
        selection["size_from_bytes"] = size
    for name in _DAYS:
        day = fields.get(name, "")
        if not day:
            continue
        try:
            selection[name] = f"{date.fromisoformat(day)}T00:00:00+00:00"
        except ValueError:
            return Trouble(f"/{name}", "a day as YYYY-MM-DD", day[:100])
    if fields.get("plan"):
        selection["plan"] = fields["plan"]
    return selection


def sentences_of(selection: Mapping[str, Any]) -> list[str]:
    """Of which files it is, a sentence each; none where it is of all."""
    words = {
        "paths": "whose path is like {}",
        "refs": "whose ref is like {}",
        "outcomes": "whose build is {}",
        "size_from_bytes": "of at least {} bytes",
        "size_to_bytes": "of at most {} bytes",
        "stored_before": "stored before {}",
        "stored_after": "stored after {}",
        "idle_since": "neither stored nor downloaded since {}",
        "plan": "taken away by plan {}",
    }
    return [
        words.get(name, f"{name} {{}}").format(
            " or ".join(map(str, value)) if isinstance(value, list) else value
        )
        for name, value in selection.items()
    ]
