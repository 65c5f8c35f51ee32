"""An artifact's bytes on their way out."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from itertools import chain
from typing import Self

from artifacts.errors import BlobDamaged
from artifacts.ports import BlobStore, StoredBytes
from kernel.digest import Sha256
from kernel.metrics import DOWNLOAD_BYTES


class BlobStream:
    """Iterates over part of a blob and closes it, also when no byte was ever asked for.

    A generator would not: one that was never started runs no `finally`. The web server in use
    has no `wsgi.file_wrapper`, so the bytes pass through here in pieces of bounded size.
    """

    def __init__(self, store: BlobStore, stored: StoredBytes) -> None:
        self._opened = ExitStack()
        opened = store.open(stored.key, size_bytes=stored.size_bytes, pin=stored.pin)
        self._reader = self._opened.enter_context(opened)
        self._size_bytes = stored.size_bytes
        self._chunks: Iterator[bytes] = iter(())

    def whole(self, digest: Sha256, *, damaged: Callable[[str], None]) -> Self:
        """Give all bytes, measured on the way: the last piece only if they have this digest.

        Otherwise `damaged` is told the one that they have.

        A disk that lies and a forger with a shell are caught here. One piece is read at once, so
        that a small damaged blob is a refusal; a large one ends before its announced length,
        which no client takes for complete.

        Raises:
            BlobDamaged: the bytes are others, and all of them were in the first piece.
        """
        measured = _measured(self._reader.chunks(0, self._size_bytes), digest, damaged)
        self._chunks = chain([next(measured)], measured)
        return self

    def select(self, start: int, length: int) -> Self:
        """Give only these bytes. A part cannot be measured: its reader has `Repr-Digest`."""
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


def _measured(
    chunks: Iterator[bytes], digest: Sha256, damaged: Callable[[str], None]
) -> Iterator[bytes]:
    """Each piece once the next one is there, and the last one once all have the digest."""
    measured, held = sha256(), b""
    for chunk in chunks:
        if held:
            yield held
        measured.update(chunk)
        held = chunk
    found = Sha256.of(measured.digest())
    if found != digest:
        damaged(found.hex)
        raise BlobDamaged(expected_sha256=digest.hex, found_sha256=found.hex)
    yield held
