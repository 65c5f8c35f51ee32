"""Patterns over paths and refs, as retention policies and holds write them.

`*` is anything within one segment, `**` anything at all; every other character is itself, and a
pattern is the whole name. The expression that it becomes means the same to Python and PostgreSQL.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

MAX_PATTERN_CHARACTERS: Final = 1024
# More would let one pattern try a name in very many ways.
MAX_STARS: Final = 8
_STARS: Final = re.compile(r"\*+")
_MEANING: Final = {"*": "[^/]*", "**": ".*"}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern as it was written."""

    text: str

    @property
    def beginning(self) -> str:
        """What every name has that the pattern stands for: all before its first star."""
        return self.text.split("*", 1)[0]

    @property
    def expression(self) -> str:
        """The same as a regular expression for the whole name, in words that both engines have."""
        written, end = "", 0
        for stars in _STARS.finditer(self.text):
            written += re.escape(self.text[end : stars.start()]) + _MEANING[stars[0]]
            end = stars.end()
        return f"^{written}{re.escape(self.text[end:])}$"

    def matches(self, name: str) -> bool:
        """Whether the name is one of those that the pattern stands for."""
        return re.fullmatch(self.expression[1:-1], name, re.DOTALL) is not None


def broken_by(text: str) -> str:
    """The rule that keeps this text from being a pattern, or nothing."""
    if not text or len(text) > MAX_PATTERN_CHARACTERS:
        return f"1 to {MAX_PATTERN_CHARACTERS} characters"
    if any(unicodedata.category(char).startswith("C") for char in text):
        return "no control or invisible characters"
    if len(_STARS.findall(text)) > MAX_STARS:
        return f"at most {MAX_STARS} stars"
    if "***" in text:
        return "`*` or `**`"
    return ""
