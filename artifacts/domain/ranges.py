"""Which bytes of an artifact a Range header asks for (RFC 9110, section 14)."""

import re
from dataclasses import dataclass
from typing import Final

from artifacts.errors import RangeNotSatisfiable

_SINGLE: Final = re.compile(r"bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes [start, start + length) out of `of`."""

    start: int
    length: int
    of: int

    @property
    def content_range(self) -> str:
        """The value of `Content-Range` (RFC 9110, section 14.4)."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{self.of}"


def select(header: str | None, *, size_bytes: int) -> ByteRange | None:
    """The one range that is asked for, or None where the whole artifact answers.

    A server may ignore Range (RFC 9110, section 14.2), and this one does so for what it cannot
    read, for other units, and for several ranges at once: nobody fetches builds that way, and
    a multipart answer has no digest that a consumer could check.

    Raises:
        RangeNotSatisfiable: the range starts behind the end, or is an empty suffix.
    """
    asked = _SINGLE.fullmatch(header) if header is not None else None
    if asked is None or asked.groups() == ("", ""):
        return None
    first, last = asked.groups()
    if not first:
        return _suffix(int(last), size_bytes)
    start = int(first)
    if last and int(last) < start:
        return None  # not a range at all (section 14.1.1), so there is none to honour
    if start >= size_bytes:
        raise RangeNotSatisfiable(size_bytes=size_bytes)
    end = min(int(last), size_bytes - 1) if last else size_bytes - 1
    return ByteRange(start, end - start + 1, size_bytes)


def _suffix(length: int, size_bytes: int) -> ByteRange | None:
    if length == 0:
        raise RangeNotSatisfiable(size_bytes=size_bytes)
    if size_bytes == 0:
        return None  # satisfiable, but no Content-Range can say "no bytes of none"
    length = min(length, size_bytes)
    return ByteRange(size_bytes - length, length, size_bytes)
