"""What happened to an artifact, and what can be done with it, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.urls import reverse

from console.story import Mark
from console.templatetags.console import count, size

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from artifacts.domain.holds import Reach
    from artifacts.queries.lives import Happening, Life

_WORDS: Final[Mapping[str, tuple[Mark, str]]] = {
    "artifact.store": (Mark.PASSED, "Uploaded: {size}"),
    "retention.set": (Mark.NOTED, "Rules of {whose} changed, version {version}"),
    "retention.plan": (Mark.WAITING, "A plan said that it goes: {files} in all, {size}"),
    "retention.preview": (Mark.NOTED, "A preview said that it would {effect}"),
    "hold.place": (Mark.PASSED, "Put on hold: {held}"),
    "hold.ask-lift": (Mark.WAITING, "Somebody asked to have the hold lifted"),
    "hold.lift": (Mark.NOTED, "The hold was lifted"),
    "artifact.yank": (Mark.WAITING, "Yanked"),
    "artifact.unyank": (Mark.PASSED, "Shown again"),
    "artifact.quarantine": (Mark.FAILED, "Put into quarantine"),
    "artifact.release": (Mark.PASSED, "Released from quarantine"),
    "artifact.restore": (Mark.PASSED, "Restored from the trash"),
    "artifact.expire": (
        Mark.FAILED,
        "Expired by rule {rule} of {whose}, version {version}: nobody gets it from then on",
    ),
    "artifact.remove": (Mark.FAILED, "Moved to the trash{ruled}"),
    "artifact.bury": (
        Mark.FAILED,
        "Gone for good; its {size} follow, unless another file has the same bytes",
    ),
}
_EFFECTS: Final = {"ends": "go", "keeps": "stay"}
_PAGES: Final = {
    "bulk_action": "bulk_action",
    "plan": "retention_plan",
    "preview": "retention_preview",
    "hold": "hold",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A happening as the page tells it; `url` leads to what it was about, if anything does."""

    at: datetime
    mark: Mark
    sentence: str
    by: str
    reason: str
    url: str


@dataclass(frozen=True, slots=True)
class Action:
    """Something that its owners can do with an artifact now; what ends it asks for its path."""

    do: str
    label: str
    means: str
    asks_name: bool = False


YANK: Final = Action(
    "yank",
    "Yank it",
    "Lists and latest leave it out. Who names its id or digest still gets it, with a warning.",
)
UNYANK: Final = Action("unyank", "Show it again", "Lists and latest have it again.")
QUARANTINE: Final = Action(
    "quarantine", "Put it into quarantine", "Nobody gets its bytes until it is released."
)
RELEASE: Final = Action("release", "Release it", "It is handed out again, as the policy says.")
REMOVE: Final = Action(
    "remove",
    "Remove it",
    "Nobody gets it any more. It can be restored from the trash for a while; then it is gone, and "
    "its name is never given to other bytes.",
    asks_name=True,
)
RESTORE: Final = Action(
    "restore", "Restore it", "It is back as it was, and no rule takes it for a while."
)


def told(happening: Happening, names: Mapping[UUID, str]) -> Told:
    """What happened, as a sentence; `names` are of the scopes of rules."""
    mark, sentence = _WORDS[happening.what]
    facts = dict(happening.facts)
    if facts.get("bulk_action") is not None:
        sentence += ", with many at once"
    page = next((one for one in _PAGES if facts.get(one) is not None), None)
    return Told(
        happening.at,
        mark,
        sentence.format_map(facts | _words_of(facts, names)),
        happening.by,
        str(facts.get("reason", "")),
        reverse(_PAGES[page], args=[facts[page]]) if page is not None else "",
    )


def _words_of(facts: Mapping[str, Any], names: Mapping[UUID, str]) -> dict[str, str]:
    """What the sentences say of the facts, as far as these are there."""
    scope, files = facts.get("scope"), facts.get("artifacts", 0)
    whose = names.get(scope, "what is no more") if scope is not None else "its job"
    reach = facts.get("reach")
    return {
        "whose": whose,
        "ruled": f" by rule {facts['rule']} of {whose}" if facts.get("rule") else "",
        "effect": _EFFECTS.get(facts.get("effect", ""), ""),
        "size": size(facts.get("size_bytes", 0)),
        "files": f"{count(files)} file{'' if files == 1 else 's'}",
        "held": _held(reach, facts.get("ends_at")) if reach is not None else "",
    }


def _held(reach: Reach, ends_at: datetime | None) -> str:
    if reach.artifact is not None:
        held = "this file"
    elif reach.build is not None:
        held = "its whole build"
    else:
        held = "the whole project" if reach.paths is None else f"files like {reach.paths.text}"
    return f"{held}, until {ends_at:%Y-%m-%d %H:%M} UTC" if ends_at is not None else held


def actions(life: Life) -> tuple[Action, ...]:
    """What can be done with it as it is."""
    if life.trashed is not None:
        return (RESTORE,)
    if life.live is None:
        return ()
    is_yanked = getattr(life.live, "yank", None) is not None
    is_quarantined = getattr(life.live, "quarantine", None) is not None
    return (
        UNYANK if is_yanked else YANK,
        RELEASE if is_quarantined else QUARANTINE,
        REMOVE,
    )
