"""Pages of a long list: an opaque cursor, and a Link to the next page (RFC 8288)."""

import base64
import binascii
from datetime import datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from artifacts.models import Build
from artifacts.queries import Position
from kernel.rest import MalformedRequest

PAGE_BUILDS: Final = 50


def encode_cursor(build: Build) -> str:
    """The place behind this build."""
    text = f"{build.opened_at.isoformat()} {build.pk}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None) -> Position | None:
    """Read what `encode_cursor` wrote; None is the first page.

    Raises:
        MalformedRequest: it is no cursor of ours.
    """
    if cursor is None:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        opened_at, _, build = text.partition(" ")
        position = Position(datetime.fromisoformat(opened_at), UUID(build))
    except (binascii.Error, ValueError) as error:
        raise MalformedRequest(parameter="cursor", found=cursor[:200]) from error
    if position.opened_at.tzinfo is None:
        raise MalformedRequest(parameter="cursor", found=cursor[:200])
    return position


def next_link(url: str, last: Build) -> str:
    """The value of a Link header that leads on behind the last build shown."""
    return f'<{url}?{urlencode({"cursor": encode_cursor(last)})}>; rel="next"'
