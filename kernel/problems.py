"""Refusals as RFC 9457 problem documents: which HTTP status a kind has, decided once."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Final
from uuid import UUID

from kernel.errors import Kind, Refusal

MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final[Mapping[Kind, int]] = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.METHOD: 405,
    Kind.CONFLICT: 409,
    Kind.GONE: 410,
    Kind.LENGTH_REQUIRED: 411,
    Kind.PRECONDITION: 412,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.RANGE: 416,
    Kind.INVALID: 422,
    Kind.TOO_MANY: 429,
    Kind.UNEXPECTED: 500,
    Kind.UNAVAILABLE: 503,
    Kind.NO_SPACE: 507,
}

# RFC 9457 section 3.1: members that facts may not shadow.
_RESERVED: Final = frozenset({"type", "title", "status", "code", "instance"})


def problem(refusal: Refusal, *, pages: str, instance: str | None = None) -> dict[str, object]:
    """Render a refusal as the members of a problem document.

    `pages` is the URL under which the page of each code answers; `type` is that page.
    Facts become extension members (RFC 9457, section 3.2).
    """
    document: dict[str, object] = {
        "type": f"{pages}/{refusal.code}",
        "title": refusal.title(),
        "status": STATUS[refusal.kind],
        "code": refusal.code,
    }
    if instance is not None:
        document["instance"] = instance
    for name, value in refusal.facts.items():
        if name in _RESERVED:
            raise ValueError(name)
        document[name] = _plain(value)
    return document


def _plain(value: object) -> object:
    """Make a fact JSON: enums by value, times as RFC 3339 in UTC, containers member by member."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Mapping):
        return {str(key): _plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(member) for member in value]
    if isinstance(value, UUID):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
