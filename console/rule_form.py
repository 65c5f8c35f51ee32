"""A retention policy as a form, and back: pure, so that what a form says can be tested alone.

Every rule is a row of fields `rule-<number>-<field>`. A document that the form cannot say whole is
edited as JSON; `is_sayable` tells.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from artifacts.domain.retention_document import EXPIRE_TERMS, KEEP_TERMS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from console.troubles import Trouble

FOR_GOOD: Final = "for_good"
# What a rule can do: its section and member in the document, and the words for it.
TERMS: Final[Mapping[str, tuple[str, str]]] = {
    FOR_GOOD: ("keep", "Keep for good"),
    "for_days": ("keep", "Keep for … days from the storing"),
    "downloaded_within_days": ("keep", "Keep for … days from the last download"),
    "newest": ("keep", "Keep the … newest of each path and ref"),
    "after_days": ("expire", "End … days after the storing"),
    "idle_days": ("expire", "End … days after the last download"),
    "beyond_newest": ("expire", "End what is not among the … newest of its path and ref"),
}
# A request has at most a thousand fields.
MOST_ROWS: Final = 60
LISTS: Final = ("paths", "refs", "predicates")
# Of which the form offers one; a document can name all of them.
_WORDS: Final = ("outcomes",)
_SIZES: Final = ("size_from_bytes", "size_to_bytes")
NUMBERS: Final = ("amount", *_SIZES)
_FLAGS: Final = ("is_protected", "is_yanked")
_FIELD: Final = re.compile(r"rule-(\d{1,3})-([a-z_]+)")
_FLAG_WORDS: Final = {"yes": True, "no": False}
_POINTER: Final = re.compile(r"/(keep|expire)/(\d+)(?:/(?:when/)?([^/]+))?")


@dataclass(frozen=True, slots=True)
class Row:
    """One rule as it stands in the form: texts as they were written."""

    name: str = ""
    term: str = "after_days"
    amount: str = ""
    is_final: bool = False
    when: Mapping[str, str] = field(default_factory=dict)
    troubles: Mapping[str, Trouble] = field(default_factory=dict)

    @property
    def is_narrowed(self) -> bool:
        """Whether it speaks of some files only."""
        return any(self.when.values())

    @property
    def is_troubled_within(self) -> bool:
        """Whether something is wrong with what it is narrowed by."""
        return bool(self.troubles.keys() & {*LISTS, *_WORDS, *_SIZES, *_FLAGS})

    @property
    def section(self) -> str:
        """Where it stands in the document."""
        return TERMS[self.term][0]


def rows_of(document: Mapping[str, Any]) -> list[Row]:
    """The rows that say this policy, as far as rows can."""
    return [
        _row(rule, section) for section in ("keep", "expire") for rule in document.get(section, [])
    ]


def is_sayable(document: Mapping[str, Any]) -> bool:
    """Whether the form says all of it, so that nothing is lost by it."""
    rows = rows_of(document)
    return len(rows) <= MOST_ROWS and document_of(rows) == {
        section: [_plain(rule) for rule in document[section]]
        for section in ("keep", "expire")
        if document.get(section)
    }


def rows_sent(fields: Mapping[str, str]) -> list[Row]:
    """The rows of a form as it was sent, without those that were to be dropped."""
    sent: dict[int, dict[str, str]] = {}
    for name, value in fields.items():
        if found := _FIELD.fullmatch(name):
            sent.setdefault(int(found[1]), {})[found[2]] = value.replace("\r\n", "\n").strip()
    kept = [sent[number] for number in sorted(sent) if "drop" not in sent[number]]
    return [
        Row(
            name=one.get("name", ""),
            term=one["term"] if one.get("term") in TERMS else "after_days",
            amount=one.get("amount", ""),
            is_final="is_final" in one,
            when={name: one.get(name, "") for name in (*LISTS, *_WORDS, *_SIZES, *_FLAGS)},
        )
        for one in kept
    ]


def document_of(rows: Sequence[Row]) -> dict[str, Any]:
    """The document that the rows say; what is no number stays as it was written, to be refused."""
    document: dict[str, Any] = {}
    for row in rows:
        document.setdefault(row.section, []).append(_rule(row))
    return {section: document[section] for section in ("keep", "expire") if section in document}


def marked(rows: Sequence[Row], trouble: Trouble) -> tuple[list[Row], bool]:
    """The rows with the trouble at its field, and whether there is such a field."""
    found = _POINTER.match(trouble.place)
    if found is None:
        return list(rows), False
    places = [number for number, row in enumerate(rows) if row.section == found[1]]
    place = int(found[2])
    if place >= len(places):
        return list(rows), False
    number = places[place]
    name = "amount" if found[3] in {*KEEP_TERMS, *EXPIRE_TERMS} else found[3] or "term"
    told = list(rows)
    told[number] = replace(rows[number], troubles={name: trouble})
    return told, True


def line_of(document: object, pointer: str) -> int | None:
    """The line of what a JSON pointer names in the document as `written` writes it."""
    marked_document, marker = copy.deepcopy(document), "\x00here"
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    place: Any = marked_document
    try:
        for part in parts[:-1]:
            place = place[int(part) if isinstance(place, list) else part]
        last = int(parts[-1]) if isinstance(place, list) else parts[-1]
        _ = place[last]
        place[last] = marker
    except (IndexError, KeyError, TypeError, ValueError):
        # What is missing has no line of its own: that of what it is missing in is told.
        return line_of(document, pointer.rpartition("/")[0]) if parts else None
    lines = written(marked_document).splitlines()
    return next(number for number, line in enumerate(lines, start=1) if r"\u0000here" in line)


def written(document: object) -> str:
    """The document as people read it."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def _row(rule: Mapping[str, Any], section: str) -> Row:
    terms = KEEP_TERMS if section == "keep" else EXPIRE_TERMS
    term = next((one for one in terms if one in rule), FOR_GOOD)
    when = rule.get("when", {})
    return Row(
        name=rule["name"],
        term=term,
        amount=str(rule.get(term, "")),
        is_final=rule.get("is_final", False),
        when={
            **{name: "\n".join(when.get(name, [])) for name in LISTS},
            **{name: "".join(when.get(name, [])[:1]) for name in _WORDS},
            **{name: str(when.get(name, "")) for name in _SIZES},
            **{name: _flag_word(when.get(name)) for name in _FLAGS},
        },
    )


def _rule(row: Row) -> dict[str, Any]:
    rule: dict[str, Any] = {"name": row.name}
    when = {
        **{name: _lines(row.when.get(name, "")) for name in (*LISTS, *_WORDS)},
        **{name: _number(row.when.get(name, "")) for name in _SIZES},
        **{name: _FLAG_WORDS.get(row.when.get(name, "")) for name in _FLAGS},
    }
    asked = {name: value for name, value in when.items() if value not in (None, [])}
    if asked:
        rule["when"] = asked
    if row.term != FOR_GOOD:
        rule[row.term] = _number(row.amount) if row.amount else ""
    if row.is_final:
        rule["is_final"] = True
    return rule


def _plain(rule: Mapping[str, Any]) -> dict[str, Any]:
    """The rule without what says nothing."""
    said_nothing = {"when": {}, "is_final": False}
    return {name: value for name, value in rule.items() if said_nothing.get(name, ...) != value}


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]


def _number(text: str) -> int | str | None:
    if not text:
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else text  # noqa: PLR2004 - a bigint


def _flag_word(found: bool | None) -> str:  # noqa: FBT001 - of a document, three-valued
    return "" if found is None else "yes" if found else "no"
