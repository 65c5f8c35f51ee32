"""A retention policy while somebody writes it, as rows of a form or as JSON; pure."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from artifacts.domain.retention_document import MalformedRetentionPolicy, read_policy
from console.rule_form import Row, document_of, is_sayable, line_of, marked, rows_of, rows_sent
from console.rule_form import written as written_out
from console.troubles import Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Draft:
    """What is written so far; `version` is the one that it was begun on.

    `rows` is None where it is JSON, `document` where that cannot be read. `line` is of the trouble
    in the text, and `is_at_field` says whether a row shows it. `is_overtaken` when
    somebody else has set the policy since.
    """

    version: int
    document: Any = None
    rows: tuple[Row, ...] | None = None
    text: str = ""
    trouble: Trouble | None = None
    line: int | None = None
    is_at_field: bool = False
    is_overtaken: bool = False

    @property
    def is_sayable(self) -> bool:
        """Whether a form could show all of it."""
        return self.trouble is None and is_sayable(self.document)


def begun(document: Mapping[str, Any], version: int, *, as_json: bool = False) -> Draft:
    """The policy as it holds; as JSON where a form cannot say all of it, or by wish."""
    if as_json or not is_sayable(document):
        return Draft(version, document, text=written_out(document))
    return Draft(version, document, rows=tuple(rows_of(document)))


def sent(fields: Mapping[str, str], version: int) -> Draft:
    """What a form was sent with: read, or with what is wrong and where."""
    if "text" in fields:
        return _of_text(fields["text"].replace("\r\n", "\n"), version)
    rows = tuple(rows_sent(fields))
    document = document_of(rows)
    trouble = _trouble(document)
    draft = Draft(version, document, rows=rows, trouble=trouble)
    if trouble is None:
        return draft
    told, is_at_field = marked(rows, trouble)
    return replace(draft, rows=tuple(told), is_at_field=is_at_field)


def with_another_rule(draft: Draft) -> Draft:
    """The same with an empty rule at its end; what is wrong is told when it is done."""
    rows = tuple(replace(row, troubles={}) for row in draft.rows or ())
    return replace(draft, rows=(*rows, Row()), trouble=None)


def _of_text(text: str, version: int) -> Draft:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        unread = Trouble("", f"JSON ({error.msg})", f"column {error.colno}")
        return Draft(version, text=text, trouble=unread, line=error.lineno)
    except RecursionError:
        return Draft(version, text=text, trouble=Trouble("", "JSON", "too many brackets"))
    trouble = _trouble(document)
    line = line_of(document, trouble.place) if trouble is not None else None
    return Draft(version, document, text=written_out(document), trouble=trouble, line=line)


def _trouble(document: object) -> Trouble | None:
    try:
        read_policy(document)
    except MalformedRetentionPolicy as refusal:
        facts = refusal.facts
        return Trouble(str(facts["place"]), str(facts["expected"]), str(facts["found"]))
    return None
