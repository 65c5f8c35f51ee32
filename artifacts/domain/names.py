"""What organizations, projects and artifacts may be called.

A name that passes here is safe in a URL, in a header, on any disk that a consumer unpacks to,
and in front of a person: it has one spelling and shows what it is.
"""

import re
import unicodedata
from typing import Final

from kernel.errors import Kind, Refusal

MAX_SLUG_CHARACTERS: Final = 64
MAX_PATH_BYTES: Final = 1024
MAX_SEGMENT_BYTES: Final = 255

_SLUG: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
# Control characters, invisible format characters (bidirectional overrides among them: they make
# a name read differently from what it is), line and paragraph separators, lone surrogates.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Zl", "Zp", "Cs"})


class UnsafeName(Refusal):
    """Slugs are lowercase letters and digits, with single `.`, `_` or `-` between them."""

    code = "unsafe-name"
    kind = Kind.INVALID


class UnsafePath(Refusal):
    """This path is not a safe name for an artifact."""

    code = "unsafe-path"
    kind = Kind.MALFORMED


def is_slug(text: str) -> bool:
    """Whether an organization or a project may have this slug."""
    return len(text) <= MAX_SLUG_CHARACTERS and _SLUG.fullmatch(text) is not None


def parse_slug(text: str, *, field: str) -> str:
    """Give the slug back if it is one.

    Raises:
        UnsafeName: it is not; `field` says which of several names.
    """
    if not is_slug(text):
        raise UnsafeName(field=field, found=text[:100], longest=MAX_SLUG_CHARACTERS)
    return text


def parse_path(text: str) -> str:
    """Give the artifact's path back, unchanged, if it is safe: relative, `/` between segments.

    Nothing is repaired: two spellings of one name would be two artifacts to some clients.

    Raises:
        UnsafePath: it is not; `rule` says why, `segment` which part (from 1).
    """
    rule = _broken_by_whole(text)
    if rule:
        raise UnsafePath(rule=rule, found=_shown(text))
    for number, segment in enumerate(text.split("/"), start=1):
        rule = _broken_by_segment(segment)
        if rule:
            raise UnsafePath(rule=rule, segment=number, found=_shown(segment))
    return text


def is_path(text: str) -> bool:
    """Whether an artifact may have this path."""
    try:
        parse_path(text)
    except UnsafePath:
        return False
    return True


def _broken_by_whole(path: str) -> str:
    """The rule that the path as a whole breaks, or nothing."""
    if not path:
        return "a path must not be empty"
    if any(unicodedata.category(char) in _HIDDEN for char in path):
        return "no control, invisible or direction-changing characters"
    if len(path.encode()) > MAX_PATH_BYTES:
        return f"at most {MAX_PATH_BYTES} bytes in UTF-8"
    if unicodedata.normalize("NFC", path) != path:
        return "Unicode must be in normalization form C"
    if "\\" in path:
        return "no backslash"
    if path.startswith("/"):
        return "a path must be relative"
    if _DRIVE.match(path):
        return "a path must not start with a drive letter"
    return ""


def _broken_by_segment(segment: str) -> str:
    """The rule that one segment breaks, or nothing."""
    if not segment:
        return "no empty segment"
    if not segment.strip("."):
        return "no segment of dots alone"
    if segment != segment.strip():
        return "no segment that starts or ends with a space"
    if len(segment.encode()) > MAX_SEGMENT_BYTES:
        return f"at most {MAX_SEGMENT_BYTES} bytes a segment"
    return ""


def _shown(text: str) -> str:
    """The text as ASCII escapes, so that a hidden character can be seen in the answer."""
    return text[:100].encode("ascii", "backslashreplace").decode()
