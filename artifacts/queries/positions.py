"""Places in long lists, and the opaque cursors that name them to whoever asks for the next page."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from artifacts.domain.names import is_path
from artifacts.models import Artifact, Build
from kernel.rest import MalformedRequest


@dataclass(frozen=True, slots=True)
class Position:
    """A build's place in the list of its project: everything after it is older."""

    opened_at: datetime
    build: UUID


@dataclass(frozen=True, slots=True)
class FilePosition:
    """An artifact's place among those of its project: by path, the newest of a path first."""

    path: str
    stored_at: datetime
    artifact: UUID


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


def row_behind(cursor: str | None) -> int:
    """The counted row behind which the page begins; 0 for the first page."""
    parts = decode_cursor(cursor, row_number)
    return int(parts[0]) if parts is not None else 0


def row_number(text: str) -> int:
    """The id of a row that is counted.

    Raises:
        ValueError: it is none.
    """
    if not text.isascii() or not text.isdecimal() or len(text) > 18:  # noqa: PLR2004 - a bigint
        raise ValueError(text)
    return int(text)
