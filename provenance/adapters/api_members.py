"""Members of an API's document by their form: what has another one is never taken for a fact."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

_LONGEST: Final = 1000
_YEARS: Final = range(2000, 3000)  # arithmetic at the ends of the calendar overflows


def number(document: Mapping[str, Any], name: str) -> str:
    """A positive whole number as text; empty when it is anything else."""
    value = document.get(name)
    is_number = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return str(value) if is_number else ""


def text(document: Mapping[str, Any], name: str) -> str:
    """A printable text of one line; empty when it is anything else.

    What is not printable (a lone surrogate, NUL) could be stored nowhere, and would stop the queue.
    """
    value = document.get(name)
    is_text = isinstance(value, str) and len(value) <= _LONGEST and value.isprintable()
    return str(value) if is_text else ""


def member(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """An object; an empty one when it is anything else."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def moment(document: Mapping[str, Any], name: str) -> datetime | None:
    """A time with its zone; None when it is anything else."""
    try:
        found = datetime.fromisoformat(text(document, name))
    except ValueError:
        return None
    is_usable = found.tzinfo is not None and found.year in _YEARS
    return found if is_usable else None
