"""What becomes of a list that was written down to be looked at: it is used, or it is forgotten.

A retention plan, a preview and a bulk action are questions, each with a list of artifacts that can
be long. The answer to a question is to apply, save or start it.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from kernel.errors import Kind, Refusal

# From the moment in which the question was asked.
PATIENCE: Final = timedelta(days=7)
# Of a plan, as long as there is no newer one of the same place: it waits for a person.
PATIENCE_WITH_NEWEST_PLAN: Final = timedelta(days=30)


class Fate(StrEnum):
    """What became of a list. There is no other, and no way from one to the other."""

    USED = "used"
    FORGOTTEN = "forgotten"


class ListForgotten(Refusal):
    """The list of artifacts was forgotten, because nobody used it; its numbers are kept."""

    code = "list-forgotten"
    kind = Kind.GONE
