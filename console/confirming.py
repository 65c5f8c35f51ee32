"""What a form asks before what cannot be undone: the name of what it is about, and a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kernel.rest import MalformedRequest

if TYPE_CHECKING:
    from django.http import HttpRequest

MOST_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Answers:
    """What was written into such a form; `name` is what it asks for, if anything."""

    name: str
    written: str = ""
    reason: str = ""
    is_sent: bool = False

    @property
    def is_named(self) -> bool:
        """Whether the name stands there, as it is called; or is not asked for."""
        return not self.name or self.written == self.name

    @property
    def is_other_name(self) -> bool:
        """Whether it was sent with something else in the name's place."""
        return self.is_sent and not self.is_named

    @property
    def is_complete(self) -> bool:
        """Whether it was sent with all that it asks for, a reason among it."""
        return self.is_sent and self.is_named and bool(self.reason)

    @property
    def is_unreasoned(self) -> bool:
        """Whether it was sent without a reason."""
        return self.is_sent and not self.reason


def answers(request: HttpRequest, *, name: str) -> Answers:
    """What the form has sent; nothing yet where the page is only looked at.

    Raises:
        MalformedRequest: nobody could have written that into it.
    """
    if request.method != "POST":
        return Answers(name)
    written, reason = (request.POST.get(field, "").strip() for field in ("name", "reason"))
    if "\x00" in written + reason or len(reason) > MOST_REASON:
        raise MalformedRequest(expected=f"a name, and a reason of at most {MOST_REASON} characters")
    return Answers(name, written, reason, is_sent=True)
