"""Retention rules as sentences, and what one version of a policy says and another not; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from artifacts.domain.retention import Measure
from artifacts.domain.retention_document import read_policy
from console.templatetags.console import size

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from artifacts.domain.retention import Conditions, RetentionPolicy, Rule

_KEEPS: Final[Mapping[Measure, str]] = {
    Measure.ALWAYS: "for good",
    Measure.AGE: "for {days} from the storing",
    Measure.IDLE: "for {days} from the last download, or the storing",
    Measure.NEWEST: "while it is among the {amount} newest of its path and ref",
}
_EXPIRES: Final[Mapping[Measure, str]] = {
    Measure.AGE: "{days} after the storing",
    Measure.IDLE: "{days} after the last download, or the storing",
    Measure.NEWEST: "when a plan finds {amount} newer ones of its path and ref",
}


@dataclass(frozen=True, slots=True)
class Said:
    """A rule in words: whether it keeps, of which files it speaks, and for how long or when."""

    name: str
    keeps: bool
    of: str
    term: str
    is_final: bool = False

    @property
    def sentence(self) -> str:
        """All of it."""
        verb = "keeps" if self.keeps else "ends"
        final = ", whatever lower levels keep" if self.is_final else ""
        return f"{verb} {self.of} {self.term}{final}"


@dataclass(frozen=True, slots=True)
class Difference:
    """What was said of one rule and is now; an empty text is nothing."""

    name: str
    before: str
    after: str

    @property
    def word(self) -> str:
        """What happened to the rule."""
        return "new" if not self.before else "gone" if not self.after else "changed"


def said(policy: RetentionPolicy) -> list[Said]:
    """Its rules in words, what keeps first."""
    return [_said(rule, keeps=True) for rule in policy.keep] + [
        _said(rule, keeps=False) for rule in policy.expire
    ]


def differences(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> list[Difference]:
    """Rule by rule, in the order of the later document; what both say alike is left out."""
    was = {one.name: one.sentence for one in said(read_policy(before or {}))}
    will = {one.name: one.sentence for one in said(read_policy(after))}
    told = [Difference(name, was.get(name, ""), text) for name, text in will.items()]
    told += [Difference(name, text, "") for name, text in was.items() if name not in will]
    return [one for one in told if one.before != one.after]


def _said(rule: Rule, *, keeps: bool) -> Said:
    days = "1 day" if rule.amount == 1 else f"{rule.amount:,} days"
    words = (_KEEPS if keeps else _EXPIRES)[rule.measure]
    term = words.format(days=days, amount=f"{rule.amount:,}")
    return Said(rule.name, keeps, _of_which(rule.conditions), term, rule.is_final)


def _of_which(conditions: Conditions) -> str:
    told = [
        _either("path", [one.text for one in conditions.paths]),
        _either("ref", [one.text for one in conditions.refs]),
        _whether(conditions.is_protected, "a protected ref", "no protected ref"),
        _whether(conditions.is_yanked, "been yanked", "not been yanked"),
        _either("outcome", [one.value for one in conditions.outcomes]),
        _either("predicate", conditions.predicates),
        _told(conditions.size_from_bytes, lambda found: f"at least {size(found)}"),
        _told(conditions.size_to_bytes, lambda found: f"at most {size(found)}"),
    ]
    asked = "; ".join(one for one in told if one)
    return f"what has {asked}:" if asked else "everything"


def _either(what: str, words: Sequence[str]) -> str:
    return f"{what} {' or '.join(words)}" if words else ""


def _whether(asked: bool | None, yes: str, no: str) -> str:  # noqa: FBT001 - three-valued
    return "" if asked is None else yes if asked else no


def _told(found: int | None, words: Callable[[int], str]) -> str:
    return words(found) if found is not None else ""
