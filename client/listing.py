"""Lists that come page by page; of a build's files its own document has the first page."""

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, quote, urlsplit

from client.answers import Answer, member
from client.errors import AnswerNotUnderstood
from client.http import Store

MOST_PAGES: Final = 1000
_NEXT: Final = re.compile(r'<([^<>]{1,2000})>;\s*rel="?next"?')


def listed_files(store: Store, identity: str, build: Mapping[str, Any]) -> list[Any]:
    """What the store lists as the files of the build of this id, however many there are.

    `build` is its document.

    Raises:
        AnswerNotUnderstood: the document lists none, or the pages do not end.
        StoreRefused, StoreUnreachable: as `Store.get`.
    """
    first = member(build, "artifacts", list)
    count = build.get("artifact_count", len(first))
    if count == len(first):
        return first
    return listed(store, store.address("api", "v1", "builds", identity, "files"), "artifacts")


def listed(store: Store, address: str, name: str) -> list[Any]:
    """What all pages at the address have under this name.

    Raises:
        AnswerNotUnderstood: a page has no such list, or the pages do not end.
        StoreRefused, StoreUnreachable: as `Store.get`.
    """
    found: list[Any] = []
    cursor = ""
    for _ in range(MOST_PAGES):
        page = store.get(f"{address}?cursor={quote(cursor, safe='')}" if cursor else address)
        found += member(page.document, name, list)
        cursor = _cursor_of(page)
        if not cursor:
            return found
    raise AnswerNotUnderstood(address=address, reason="its pages do not end")


def _cursor_of(page: Answer) -> str:
    """Where the next page begins; empty on the last. Only the cursor of the link is believed."""
    found = _NEXT.search(page.headers.get("Link", ""))
    if found is None:
        return ""
    values = parse_qs(urlsplit(found[1]).query).get("cursor", [])
    return values[0] if values else ""
