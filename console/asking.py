"""What a page's address asks for behind its `?`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.http import HttpRequest

from kernel.rest import MalformedRequest

MOST_CHARACTERS: Final = 1024


def asked(request: HttpRequest, *known: str) -> dict[str, str]:
    """The parameters that the page knows and that say something; a form sends empty ones too.

    Raises:
        MalformedRequest: one could not stand in any name.
    """
    given = {name: request.GET.get(name, "").strip() for name in known}
    for name, value in given.items():
        if "\x00" in value or len(value) > MOST_CHARACTERS:
            raise MalformedRequest(parameter=name, expected="one readable value")
    return {name: value for name, value in given.items() if value}


@dataclass(frozen=True, slots=True)
class Pages:
    """Where one is in a long list; the addresses are empty where they lead nowhere."""

    first: str
    following: str


def pages(given: Mapping[str, str], cursor: str | None) -> Pages:
    """The way back to the first page and on to the next, with the same filters."""
    filters = {name: value for name, value in given.items() if name != "cursor"}
    first = f"?{urlencode(filters)}" if "cursor" in given else ""
    following = f"?{urlencode({**filters, 'cursor': cursor})}" if cursor is not None else ""
    return Pages(first, following)
