"""A stored blob as a file that can be read and searched, within a request's limits."""

import io
import os
import time
from collections.abc import Iterator
from typing import Final

from artifacts.domain.archives import Limits
from artifacts.ports import BlobReader

_FIRST_WINDOW: Final = 64 * 1024
_LARGEST_WINDOW: Final = 16 * 1024 * 1024


class BlobFile(io.RawIOBase):
    """Reads ahead in ranges that grow while reading goes straight on: a bucket is asked seldom.

    One read may ask for no more than a zip's directory may have: zipfile and tarfile read as much
    at once as the archive tells them to.
    """

    def __init__(self, reader: BlobReader, *, size_bytes: int, limits: Limits) -> None:
        self._reader = reader
        self._size_bytes = size_bytes
        self._limits = limits
        self._ends_at = time.monotonic() + limits.seconds
        self._position = 0
        self._chunks = self._ahead(0)
        self._window = _FIRST_WINDOW
        self._held = b""
        self._held_at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size_bytes}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._position = base + offset
        return self._position

    def read(self, size: int | None = -1) -> bytes:
        left = max(self._size_bytes - self._position, 0)
        wanted = left if size is None or size < 0 else min(size, left)
        self._limits.require("directory_bytes", wanted)
        found = bytearray()
        while len(found) < wanted:
            found += self._some(wanted - len(found))
        return bytes(found)

    def check_time(self) -> None:
        """Refuse to go on when the request has taken its time.

        Raises:
            ArchiveTooCostly: it has.
        """
        over = time.monotonic() - self._ends_at
        self._limits.require("seconds", self._limits.seconds + over)

    def _some(self, most: int) -> bytes:
        """At least one byte from the present position on."""
        skipped = self._position - self._held_at
        if not 0 <= skipped < len(self._held):
            self._advance(skipped)
            skipped = 0
        piece = self._held[skipped : skipped + most]
        self._position += len(piece)
        return piece

    def _ahead(self, length: int) -> Iterator[bytes]:
        return iter(self._reader.chunks(self._position, length))

    def _advance(self, skipped: int) -> None:
        self.check_time()
        goes_on = skipped == len(self._held)
        chunk = next(self._chunks, b"") if goes_on else b""
        if not chunk:
            self._window = min(self._window * 2, _LARGEST_WINDOW) if goes_on else _FIRST_WINDOW
            length = min(self._window, self._size_bytes - self._position)
            self._chunks = self._ahead(length)
            chunk = next(self._chunks)
        self._held, self._held_at = chunk, self._position
