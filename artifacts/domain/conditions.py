"""Conditional requests for something that never changes (RFC 9110, section 13), as pure rules."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import Enum, auto
from typing import Final

from kernel.digest import Sha256

# RFC 9110, section 8.8.3: entity-tag = [ "W/" ] DQUOTE *etagc DQUOTE
_TAG: Final = re.compile(r'\s*(W/)?("[\x21\x23-\x7e\x80-\xff]*")\s*')
_HTTP_DATE: Final = "%a, %d %b %Y %H:%M:%S GMT"


@dataclass(frozen=True, slots=True)
class Validators:
    """What identifies a representation: a strong entity tag, and a time in whole seconds."""

    etag: str
    modified_at: datetime

    @classmethod
    def of(cls, digest: Sha256, stored_at: datetime) -> "Validators":
        """The digest is the entity tag; `:` is allowed inside the quotes (RFC 9110, 8.8.3)."""
        return cls(f'"sha256:{digest.hex}"', stored_at.astimezone(UTC).replace(microsecond=0))

    @property
    def last_modified(self) -> str:
        """The value of `Last-Modified`."""
        return format_datetime(self.modified_at, usegmt=True)


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditional headers of a request as they came; None where one is absent."""

    if_match: str | None = None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    if_unmodified_since: str | None = None
    if_range: str | None = None


class Outcome(Enum):
    """What the conditions leave to do."""

    PROCEED = auto()
    NOT_MODIFIED = auto()
    PRECONDITION_FAILED = auto()


def judge(conditions: Conditions, current: Validators) -> Outcome:
    """Evaluate the conditions of a GET or HEAD in the order of RFC 9110, section 13.2.2."""
    if conditions.if_match is not None:  # step 1
        if not _any_matches(conditions.if_match, current, strong=True):
            return Outcome.PRECONDITION_FAILED
    elif conditions.if_unmodified_since is not None:  # step 2
        since = parse_http_date(conditions.if_unmodified_since)
        if since is not None and current.modified_at > since:
            return Outcome.PRECONDITION_FAILED
    if conditions.if_none_match is not None:  # step 3
        if _any_matches(conditions.if_none_match, current, strong=False):
            return Outcome.NOT_MODIFIED
    elif conditions.if_modified_since is not None:  # step 4
        since = parse_http_date(conditions.if_modified_since)
        if since is not None and current.modified_at <= since:
            return Outcome.NOT_MODIFIED
    return Outcome.PROCEED


def range_still_applies(if_range: str | None, current: Validators) -> bool:
    """Whether `If-Range` allows the range (RFC 9110, section 13.1.5); without one it does.

    Only an exact, strong match does. A date counts as strong here because what it dates is
    immutable.
    """
    if if_range is None:
        return True
    if '"' in if_range:
        tag = _TAG.fullmatch(if_range)
        return tag is not None and tag[1] is None and tag[2] == current.etag
    return parse_http_date(if_range) == current.modified_at


def parse_http_date(text: str) -> datetime | None:
    """Read the preferred form of an HTTP date (IMF-fixdate); None for anything else.

    RFC 9110, sections 13.1.3 and 13.1.4: a condition whose date cannot be read is ignored.
    """
    try:
        return datetime.strptime(text.strip(), _HTTP_DATE).replace(tzinfo=UTC)
    except ValueError:
        return None


def _any_matches(listed: str, current: Validators, *, strong: bool) -> bool:
    """Whether `*` or one of the listed tags matches; what cannot be read matches nothing."""
    if listed.strip() == "*":
        return True
    tags = _tags(listed)
    return any(tag == current.etag and not (strong and weak) for weak, tag in tags)


def _tags(listed: str) -> list[tuple[bool, str]]:
    """The tags of a list, each with whether it is weak; commas may stand inside the quotes."""
    found, position = [], 0
    while (tag := _TAG.match(listed, position)) is not None:
        found.append((tag[1] is not None, tag[2]))
        position = tag.end()
        if not listed.startswith(",", position):
            break
        position += 1
    return found
