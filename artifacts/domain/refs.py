"""Of which branches and tags a project's *latest* may speak."""

import unicodedata
from collections.abc import Iterable
from typing import Final

from kernel.errors import Kind, Refusal

MAX_REF_CHARACTERS: Final = 500
MAX_ALLOWED_REFS: Final = 50
_PREFIXES: Final = ("refs/heads/", "refs/tags/")


class RefNotNameable(Refusal):
    """This is no full name of a branch or tag, nor such a name with `*` at its end."""

    code = "ref-not-nameable"
    kind = Kind.INVALID


def parse_ref_pattern(text: str) -> str:
    """Give the pattern back: `refs/heads/main`, `refs/tags/v1.0`, or a beginning and `*`.

    `refs/heads/*` is possible: it says of every branch that whoever may push to it is trusted.

    Raises:
        RefNotNameable: it is neither.
    """
    name = text.removesuffix("*")
    is_short = len(text) <= MAX_REF_CHARACTERS
    is_plain = not any(c.isspace() or unicodedata.category(c).startswith("C") for c in text)
    is_named = name.startswith(_PREFIXES) and (text.endswith("*") or name not in _PREFIXES)
    if not (is_short and is_plain and is_named) or "*" in name:
        raise RefNotNameable(found=text[:200], expected=[f"{prefix}…" for prefix in _PREFIXES])
    return text


def searchable(ref: str) -> str:
    """The witnessed ref as rows keep it; nothing for one too long to be looked for."""
    return ref if len(ref) <= MAX_REF_CHARACTERS else ""


def is_allowed(ref: str, patterns: Iterable[str]) -> bool:
    """Whether one of the patterns is this ref, or its beginning."""
    return any(
        ref.startswith(pattern[:-1]) if pattern.endswith("*") else ref == pattern
        for pattern in patterns
    )
