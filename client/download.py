"""Bytes on their way from the store: measured as they arrive, and resumed where they broke off."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Final

from client.errors import StoreUnreachable
from client.http import Incoming, Store
from client.verification.errors import DownloadDiffers
from kernel.digest import Sha256

PARTIAL: Final = 206
# Together they bear some 25 seconds in which every transfer breaks off at once.
MOST_BREAKS: Final = 8
FIRST_WAIT: Final = 0.1
LONGEST_WAIT: Final = 5.0
VERIFICATION: Final = "Strongroom-Verification"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to arrive. `hear` is told how many bytes are there."""

    address: str
    digest: Sha256
    size_bytes: int
    hear: Callable[[int], None] = lambda _size: None


class Transfer:
    """One download into an open file. What the store says of itself is in `said`."""

    def __init__(
        self,
        store: Store,
        wanted: Wanted,
        opened: IO[bytes],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store, self._wanted, self._opened, self._sleep = store, wanted, opened, sleep
        self._measured = hashlib.sha256()
        self._size = 0
        self.said = ""

    def run(self) -> None:
        """Get all of it, going on where a transfer broke off.

        Where pieces of several transfers do not make the announced whole, once more from the start.

        Raises:
            DownloadDiffers: the bytes are not those that were announced.
            StoreUnreachable: it broke off again and again without a byte of progress.
            As `Store.stream`.
        """
        was_resumed = self._get()
        if was_resumed and not self._is_right():
            self._start_over()
            self._get()
        if not self._is_right():
            raise DownloadDiffers(
                announced_sha256=self._wanted.digest.hex,
                found_sha256=self._measured.hexdigest(),
                found_bytes=self._size,
            )

    def _get(self) -> bool:
        """Whether it took more than one transfer."""
        breaks = furthest = 0
        was_resumed = False
        while True:
            try:
                self._once()
            except StoreUnreachable:
                if self._size == self._wanted.size_bytes:
                    return was_resumed
                breaks = 0 if self._size > furthest else breaks + 1
                furthest = max(furthest, self._size)
                if breaks > MOST_BREAKS:
                    raise
                was_resumed = True
                self._sleep(min(LONGEST_WAIT, FIRST_WAIT * 2**breaks) if breaks else 0)
            else:
                return was_resumed

    def _once(self) -> None:
        headers = {}
        if self._size:
            tag = f'"sha256:{self._wanted.digest.hex}"'
            headers = {"Range": f"bytes={self._size}-", "If-Range": tag}
        with self._store.stream(self._wanted.address, headers=headers) as incoming:
            self.said = incoming.headers.get(VERIFICATION, self.said)
            if self._size and not self._continues(incoming):
                self._start_over()
            for chunk in incoming.chunks():
                self._take(chunk)

    def _continues(self, incoming: Incoming) -> bool:
        span = f"bytes {self._size}-{self._wanted.size_bytes - 1}/{self._wanted.size_bytes}"
        return incoming.status == PARTIAL and incoming.headers.get("Content-Range") == span

    def _take(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._wanted.size_bytes:
            raise DownloadDiffers(announced_bytes=self._wanted.size_bytes, found="more")
        self._opened.write(chunk)
        self._measured.update(chunk)
        self._wanted.hear(self._size)

    def _start_over(self) -> None:
        self._opened.seek(0)
        self._opened.truncate()
        self._measured = hashlib.sha256()
        self._size = 0

    def _is_right(self) -> bool:
        return self._measured.hexdigest() == self._wanted.digest.hex
