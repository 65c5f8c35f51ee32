"""Pages of a long list: how long they are, and a Link to the next one (RFC 8288)."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar
from urllib.parse import urlencode

from rest_framework.response import Response

from artifacts.queries.positions import encode_cursor

PAGE_BUILDS: Final = 50
PAGE_FILES: Final = 500
PAGE_DOWNLOADS: Final = 200
PAGE_MEMBERS: Final = 1000
PAGE_HOLDS: Final = 100


class Counted(Protocol):
    """A row of a list that is counted."""

    @property
    def pk(self) -> Any:  # noqa: ANN401 - as Django has it
        """Its number."""


Row = TypeVar("Row", bound=Counted)


def counted_page(
    head: Mapping[str, str],
    rows: Sequence[Row],
    show: Callable[[Row], Mapping[str, Any]],
    *,
    url: str,
    asked: Mapping[str, str],
) -> Response:
    """What `head` names, with its items; of PAGE_FILES + 1 rows the last says that more follow."""
    shown = rows[:PAGE_FILES]
    response = Response({**head, "items": [show(one) for one in shown]})
    if len(rows) > PAGE_FILES:
        response["Link"] = next_link(url, encode_cursor(shown[-1].pk), asked)
    return response


def next_link(url: str, cursor: str, asked: Mapping[str, str]) -> str:
    """The value of a Link header that leads on, with everything else that was asked for."""
    query = urlencode({**{k: v for k, v in asked.items() if k != "cursor"}, "cursor": cursor})
    return f'<{url}?{query}>; rel="next"'
