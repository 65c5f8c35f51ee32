"""Pages of a long list: an opaque cursor, and a Link to the next page (RFC 8288)."""

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from artifacts.domain.names import is_path
from artifacts.models import Artifact, Build
from artifacts.queries import FilePosition, Position
from kernel.rest import MalformedRequest

PAGE_BUILDS: Final = 50
PAGE_FILES: Final = 500
PAGE_DOWNLOADS: Final = 200
PAGE_MEMBERS: Final = 1000


def encode_cursor(*parts: object) -> str:
    """The place behind what these parts name."""
    text = json.dumps([str(part) for part in parts], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, *kinds: Callable[[str], Any]) -> list[Any] | None:
    """Read what `encode_cursor` wrote, each part by its kind; None is the first page.

    Raises:
        MalformedRequest: it is no cursor of ours.
    """
    if cursor is None:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list) or len(parts) != len(kinds):
            raise ValueError("other parts")  # noqa: TRY301 - as what cannot be read at all
        return [kind(str(part)) for kind, part in zip(kinds, parts, strict=True)]
    except (binascii.Error, ValueError, RecursionError) as error:
        raise MalformedRequest(parameter="cursor", found=cursor[:200]) from error


def build_position(cursor: str | None) -> Position | None:
    """A place in a list of builds."""
    parts = decode_cursor(cursor, moment, UUID)
    return Position(*parts) if parts is not None else None


def build_cursor(build: Build) -> str:
    """The place behind this build."""
    return encode_cursor(build.opened_at.isoformat(), build.pk)


def file_position(cursor: str | None) -> FilePosition | None:
    """A place in a list of a project's artifacts by path."""
    parts = decode_cursor(cursor, safe_path, moment, UUID)
    return FilePosition(*parts) if parts is not None else None


def file_cursor(artifact: Artifact) -> str:
    """The place behind this artifact."""
    return encode_cursor(artifact.path, artifact.stored_at.isoformat(), artifact.pk)


def next_link(url: str, cursor: str, asked: Mapping[str, str]) -> str:
    """The value of a Link header that leads on, with everything else that was asked for."""
    query = urlencode({**{k: v for k, v in asked.items() if k != "cursor"}, "cursor": cursor})
    return f'<{url}?{query}>; rel="next"'


def moment(text: str) -> datetime:
    """A time as RFC 3339, with its offset from UTC.

    Raises:
        ValueError: it is none.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    return found


def safe_path(text: str) -> str:
    """A path that an artifact can have.

    Raises:
        ValueError: it is none.
    """
    if not is_path(text):
        raise ValueError(text)
    return text
