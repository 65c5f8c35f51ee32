"""Bytes on their way out: a file of the disk, or one part of it, as it was when it was hashed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from client.errors import FileChanged
from kernel.digest import Sha256

CHUNK_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What to send: so many bytes of a file from `start` on, with their digest.

    `on_bytes` hears what goes out, and what has to be taken back.
    """

    file: Path
    size_bytes: int
    digest: Sha256
    on_bytes: Callable[[int], None] = field(default=lambda _sent: None, repr=False)
    start: int = 0

    @contextmanager
    def opened(self) -> Iterator["FileBody"]:
        """A body for one request. Where that fails, what was sent does not count."""
        with self.file.open("rb") as opened:
            opened.seek(self.start)
            body = FileBody(opened, self)
            try:
                yield body
            except BaseException:
                body.take_back()
                raise


class FileBody:
    """Never more than was announced, and told when it is less."""

    def __init__(self, opened: IO[bytes], outgoing: Outgoing) -> None:
        self._opened, self._outgoing = opened, outgoing
        self._sent = 0

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """The next piece; urllib3 calls this.

        Raises:
            FileChanged: the file has become shorter.
        """
        rest = self._outgoing.size_bytes - self._sent
        chunk = self._opened.read(min(size, rest))
        if rest and not chunk:
            raise FileChanged(
                file=str(self._outgoing.file),
                hashed_bytes=self._outgoing.start + self._outgoing.size_bytes,
                found_bytes=self._outgoing.start + self._sent,
            )
        self._sent += len(chunk)
        self._outgoing.on_bytes(len(chunk))
        return chunk

    def take_back(self) -> None:
        """What was sent does not count: it is refused, or will be sent again."""
        self._outgoing.on_bytes(-self._sent)
        self._sent = 0
