"""A record of the audit trail, told: what changed from what to what, why, and what else. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

NOTHING: Final = "nothing"
_SPOKEN: Final = frozenset({"before", "after", "reason"})


@dataclass(frozen=True, slots=True)
class Change:
    """one thing that was something else before."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a record says behind who, what and when."""

    changes: tuple[Change, ...]
    reason: str
    facts: tuple[tuple[str, str], ...]


def told(facts: Mapping[str, Any]) -> Told:
    """The record's facts, for people; what stayed as it was is left out."""
    before, after = _parts(facts.get("before")), _parts(facts.get("after"))
    changes = tuple(
        Change(_spaced(name), _text(before.get(name)), _text(after.get(name)))
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    )
    others = tuple(
        (_spaced(name), _text(value)) for name, value in facts.items() if name not in _SPOKEN
    )
    return Told(changes, str(facts.get("reason") or ""), others)


def _parts(value: object, within: str = "") -> dict[str, Any]:
    """Each value by where it stands: `bytes hard`; what has no parts is one: `value`."""
    if not isinstance(value, Mapping):
        return {} if value is None else {within or "value": value}
    found: dict[str, Any] = {}
    for name, part in value.items():
        found |= _parts(part, f"{within} {name}".strip())
    return found


def _text(value: object) -> str:
    if value in (None, "", [], {}):
        return NOTHING
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _spaced(name: str) -> str:
    return name.replace("_", " ")
