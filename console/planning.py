"""A retention plan in words: where it stands, what each rule does in it, what has changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from artifacts.domain.retention import Level
from artifacts.queries.freed import Whereabouts
from console.story import Mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from artifacts.models import RetentionPlan, RetentionRun
    from artifacts.models.retention_plan import RuleCount

Outcomes = Mapping[str, tuple[str, str]]
OF_PLANS: Final[Outcomes] = {
    "ends": ("Goes", "ends it"),
    "keeps": ("Stays", "keeps it"),
    "waits": ("Goes later", "will end it"),
    "stays": ("Stays", "no rule ends it"),
}
OF_PREVIEWS: Final[Outcomes] = {
    "ends": ("Newly goes", "would end it"),
    "keeps": ("Newly stays", "would keep it"),
    "sooner": ("Goes sooner", "would end it"),
    "later": ("Goes later, or never", "would end or keep it"),
    "same": ("As now", "changes nothing"),
}
# So many rules of a plan are shown, those that do most; a store of many projects can have more.
MOST_RULES: Final = 100
_RUNS: Final[Mapping[str, tuple[Mark, str]]] = {
    "running": (Mark.WAITING, "being applied"),
    "done": (Mark.PASSED, "applied"),
    "cancelled": (Mark.NOTED, "cancelled"),
    "stale": (Mark.FAILED, "became stale under way"),
}
# What became of an artifact that a plan speaks of, whose bytes are still stored, and why they are.
WHEREABOUTS: Final[Mapping[Whereabouts, tuple[str, str]]] = {
    Whereabouts.NOT_REMOVED: ("Not removed", "not yet, spared, or restored since"),
    Whereabouts.IN_TRASH: ("In the trash", "each can be restored until its time is over"),
    Whereabouts.SHARED: ("Bytes of others too", "these are stored as long as somebody has them"),
    Whereabouts.IN_GRACE: ("On their way out", "nobody has these bytes: they go a day after that"),
    Whereabouts.STUCK: ("Still in the store", "it was told to remove them, and has them: a lock?"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a plan stands, as a word with a mark, and whether it can be applied now."""

    mark: Mark
    word: str
    can_apply: bool = False


@dataclass(frozen=True, slots=True)
class RuleShown:
    """What one rule does in a plan."""

    number: int
    outcome: str
    word: str
    does: str
    name: str
    whose: str
    version: int | None
    artifacts: int
    logical_bytes: int


def standing(
    plan: RetentionPlan,
    run: RetentionRun | None,
    changed: Sequence[object],
    *,
    is_forgotten: bool,
) -> Standing:
    """Where the plan stands, given what has changed of what it depends on, and of its list."""
    if run is not None:
        return Standing(*_RUNS[run.state])
    if is_forgotten:
        return Standing(Mark.NOTED, "forgotten")
    if changed:
        return Standing(Mark.FAILED, "stale")
    if not plan.artifacts:
        return Standing(Mark.NOTED, "nothing goes")
    return Standing(Mark.WAITING, "not applied", can_apply=True)


def rules_shown(
    rules: Iterable[RuleCount], names: Mapping[UUID, str], outcomes: Outcomes
) -> list[RuleShown]:
    """The rules that do most, in the order of the outcomes; `names` are of their scopes."""
    order = list(outcomes)
    shown = [
        RuleShown(
            rule.number,
            rule.outcome,
            *outcomes[rule.outcome],
            rule.name,
            _whose(rule, names),
            rule.version,
            rule.artifacts,
            rule.logical_bytes,
        )
        for rule in sorted(rules, key=lambda one: (order.index(one.outcome), -one.artifacts))
    ]
    return shown[:MOST_RULES]


def names_in(changed: Iterable[Mapping[str, Any]]) -> set[UUID]:
    """The scopes that the sentences of `changes` name."""
    return {UUID(one["scope"]) for one in changed if "scope" in one}


def changes(changed: Iterable[Mapping[str, Any]], names: Mapping[UUID, str]) -> list[str]:
    """What has changed since a plan or a preview, a sentence each; `names` are of `names_in`."""
    return [_change(one, names) for one in changed]


def _whose(rule: RuleCount, names: Mapping[UUID, str]) -> str:
    if rule.level is None:
        return ""
    if Level(rule.level) is Level.JOB:
        return "its job"
    if rule.scope_id is None:  # a hold or a use: of no policy
        return ""
    return names.get(rule.scope_id, "what is no more")


def _change(change: Mapping[str, Any], names: Mapping[UUID, str]) -> str:
    if "at" not in change:
        return "Something that it depends on has changed."
    at = f"{datetime.fromisoformat(change['at']):%Y-%m-%d %H:%M} UTC"
    if change["what"] == "retention-policy":
        whose = names.get(UUID(change["scope"]), "what is no more")
        return f"{change['by']} set version {change['version']} of the rules of {whose}, {at}."
    return f"Another plan was applied, {at}: it may have taken away some of the same."
