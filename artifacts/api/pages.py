"""Pages of a long list: how long they are, and a Link to the next one (RFC 8288)."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

PAGE_BUILDS: Final = 50
PAGE_FILES: Final = 500
PAGE_DOWNLOADS: Final = 200
PAGE_MEMBERS: Final = 1000
PAGE_HOLDS: Final = 100


def next_link(url: str, cursor: str, asked: Mapping[str, str]) -> str:
    """The value of a Link header that leads on, with everything else that was asked for."""
    query = urlencode({**{k: v for k, v in asked.items() if k != "cursor"}, "cursor": cursor})
    return f'<{url}?{query}>; rel="next"'
