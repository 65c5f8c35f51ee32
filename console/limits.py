"""A quota as a form: what somebody wrote, what is wrong with it where, and what it would do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from artifacts.domain.quota import Limits, Quota, QuotaMalformed, Standing, Use
from console.amounts import NoAmount, exactly, read_bytes, read_count
from console.story import Mark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LEVELS: Final[Mapping[str, str]] = {
    "warn": "shown as a warning from here on",
    "soft": "more is taken for a week, then refused",
    "hard": "more is refused at once",
}
_UNITS: Final[Mapping[str, tuple[str, Callable[[str], int | None]]]] = {
    "bytes": ("Bytes", read_bytes),
    "files": ("Files", read_count),
}
_STANDINGS: Final = {
    Standing.WITHIN: (Mark.PASSED, "within its limits"),
    Standing.WARNED: (Mark.WAITING, "close to a limit"),
    Standing.OVER_SOFT: (Mark.WAITING, "above its soft limit"),
    Standing.FULL: (Mark.FAILED, "full"),
}


@dataclass(frozen=True, slots=True)
class Field:
    """One limit in the form, as it was written."""

    name: str
    label: str
    hint: str
    value: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """All six, with the quota that they are if nothing is wrong; None limits nothing."""

    fields: tuple[Field, ...]
    quota: Quota | None = None

    @property
    def groups(self) -> list[tuple[str, list[Field]]]:
        """The fields by what they limit."""
        return [
            (label, [one for one in self.fields if one.name.startswith(f"{unit}_")])
            for unit, (label, _read) in _UNITS.items()
        ]

    @property
    def is_wrong(self) -> bool:
        """Whether something in it cannot be read."""
        return any(one.error for one in self.fields)


def form_of(quota: Quota | None) -> Form:
    """The form with what holds now."""
    holds = quota or Quota()
    written = {}
    for level in LEVELS:
        written[f"bytes_{level}"] = exactly(getattr(holds.bytes, level))
        files = getattr(holds.files, level)
        written[f"files_{level}"] = "" if files is None else str(files)
    return Form(_fields(written), quota)


def read(written: Mapping[str, str]) -> Form:
    """The form as somebody sent it: each error stands at its field."""
    fields = list(_fields(written))
    values: dict[str, int | None] = {}
    for place, one in enumerate(fields):
        try:
            values[one.name] = _UNITS[one.name.partition("_")[0]][1](one.value)
        except NoAmount as error:
            fields[place] = replace(one, error=f"This has to be {error}.")
    if any(one.error for one in fields):
        return Form(tuple(fields))
    try:
        quota = Quota.parse(
            {unit: {level: values[f"{unit}_{level}"] for level in LEVELS} for unit in _UNITS}
        )
    except QuotaMalformed:
        return Form(tuple(_out_of_order(one, values) for one in fields))
    return Form(tuple(fields), None if quota == Quota() else quota)


def standing(quota: Quota | None, use: Use) -> tuple[Mark, str]:
    """How the use stands to the quota, as a mark with a word."""
    return _STANDINGS[quota.standing(use)] if quota is not None else (Mark.NOTED, "not limited")


def refuses(quota: Quota | None, use: Use) -> list[str]:
    """What this quota would do to uploads with this use, a sentence each; nothing if nothing."""
    if quota is None:
        return []
    both = (
        _consequence("bytes", quota.bytes, use.physical_bytes),
        _consequence("files", quota.files, use.files),
    )
    return [one for one in both if one]


def _fields(written: Mapping[str, str]) -> tuple[Field, ...]:
    return tuple(
        Field(f"{unit}_{level}", level.title(), hint, written.get(f"{unit}_{level}", ""))
        for unit in _UNITS
        for level, hint in LEVELS.items()
    )


def _out_of_order(field: Field, values: Mapping[str, int | None]) -> Field:
    """Wrong where it is less than a milder limit of the same thing."""
    unit, _, level = field.name.partition("_")
    own = values[field.name]
    for milder in list(LEVELS)[: list(LEVELS).index(level)]:
        least = values[f"{unit}_{milder}"]
        if own is not None and least is not None and own < least:
            return replace(field, error=f"This has to be at least what stands at “{milder}”.")
    return field


def _consequence(unit: str, limits: Limits, used: int) -> str:
    shown = exactly if unit == "bytes" else str
    there = f"there are {used:,} already, and the"
    if limits.hard is not None and used >= limits.hard:
        limit = shown(limits.hard)
        return f"Every upload of new {unit} is refused at once: {there} hard limit is {limit}."
    if limits.soft is not None and used > limits.soft:
        limit = shown(limits.soft)
        return f"Uploads of new {unit} are refused in a week: {there} soft limit is {limit}."
    return ""
