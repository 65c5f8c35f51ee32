"""An artifact's bytes on their way out."""

from contextlib import ExitStack
from typing import Self

from artifacts.ports import BlobStore
from kernel.metrics import DOWNLOAD_BYTES


class BlobStream:
    """Iterates over part of a blob and closes it, also when no byte was ever asked for.

    A generator would not: one that was never started runs no `finally`. The web server in use
    has no `wsgi.file_wrapper`, so the bytes pass through here in pieces of bounded size.
    """

    def __init__(self, store: BlobStore, key: str, *, size_bytes: int) -> None:
        self._opened = ExitStack()
        self._reader = self._opened.enter_context(store.open(key, size_bytes=size_bytes))
        self._chunks = self._reader.chunks(0, size_bytes)

    def select(self, start: int, length: int) -> Self:
        """Give only these bytes."""
        self._chunks = self._reader.chunks(start, length)
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        DOWNLOAD_BYTES.inc(len(chunk))
        return chunk

    def close(self) -> None:
        """Close the blob; the server calls this at the end, or when the client leaves."""
        self._opened.close()
