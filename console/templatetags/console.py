"""How pages write digests, sizes and times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import template

from artifacts.domain.lifecycle import BuildState
from console.rule_form import LISTS, NUMBERS

if TYPE_CHECKING:
    from datetime import datetime

    from console.rule_form import Row

register = template.Library()

_SHORT: Final = 12
_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")
_STATES: Final = {
    BuildState.SEALED: ("waiting", "waiting"),
    BuildState.PUBLISHED: ("passed", "published"),
    BuildState.REFUSED: ("failed", "refused"),
    BuildState.OPEN: ("noted", "open"),
}
_BRANCH, _TAG = "refs/heads/", "refs/tags/"


@register.filter
def short(digest: object) -> str:
    """The first characters of a digest or an id: enough to tell it from its neighbours."""
    return str(digest)[:_SHORT]


@register.filter
def size(size_bytes: int) -> str:
    """Bytes in the unit that people read; binary units, as the store counts."""
    value, unit = float(size_bytes), 0
    while value >= 1024 and unit < len(_UNITS) - 1:  # noqa: PLR2004 - a binary unit's step
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {_UNITS[unit]}" if unit == 0 else f"{value:.1f} {_UNITS[unit]}"


@register.filter
def count(number: int) -> str:
    """A number that people read: in groups of three digits."""
    return f"{number:,}"


@register.filter
def ref_name(ref: str) -> str:
    """A branch or tag by its own name."""
    return ref.removeprefix(_BRANCH).removeprefix(_TAG)


@register.filter
def ref_kind(ref: str) -> str:
    """Whether it is a branch or a tag; empty for anything else."""
    return "branch" if ref.startswith(_BRANCH) else "tag" if ref.startswith(_TAG) else "ref"


@register.inclusion_tag("console/_moment.html")
def moment(at: datetime | None) -> dict[str, Any]:
    """A time in UTC, to the second for programs and to the minute for people."""
    return {"at": at}


@register.inclusion_tag("console/_state.html")
def state(of: str) -> dict[str, str]:
    """A build's state, as a word with a mark."""
    mark, word = _STATES[BuildState(of)]
    return {"mark": mark, "word": word}


@register.inclusion_tag("console/_digest.html")
def digest(value: str, what: str = "SHA-256") -> dict[str, str]:
    """A digest or commit: short, whole on demand, and to be copied."""
    return {"value": value, "what": what}


@register.inclusion_tag("console/_commands.html")
def commands(text: str, what: str) -> dict[str, str]:
    """Lines for a terminal, to be copied."""
    return {"text": text, "what": what}


@register.inclusion_tag("console/administration/_rule_field.html")
def rule_field(row: Row, n: int, name: str, label: str, hint: str = "") -> dict[str, Any]:
    """A text of a rule's row, or a number, with what is wrong with it."""
    shape = {"is_number": name in NUMBERS, "is_long": name in LISTS}
    return {**_of_row(row, n, name), **shape, "label": label, "hint": hint}


@register.inclusion_tag("console/administration/_rule_choice.html")
def rule_choice(row: Row, n: int, name: str, label: str, *words: str) -> dict[str, Any]:
    """One of these words, or any, of a rule's row."""
    return {**_of_row(row, n, name), "label": label, "words": words}


def _of_row(row: Row, n: int, name: str) -> dict[str, Any]:
    value = getattr(row, name) if name in ("name", "amount") else row.when.get(name, "")
    return {"id": f"rule-{n}-{name}", "value": value, "trouble": row.troubles.get(name)}
