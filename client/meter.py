"""How much of a push is done: bytes and files, told as they go."""

import threading
import time

from client.console import Console, size
from client.files import Hashed


class Meter:
    """How many bytes of all, told as they go. Several threads add; some take back."""

    def __init__(self, console: Console, verb: str, total_bytes: int) -> None:
        self._console, self._verb, self._total = console, verb, total_bytes
        self._lock = threading.Lock()
        self._done = self._files = 0
        self._started = time.monotonic()

    def add(self, count: int) -> None:
        """So many bytes more (or less)."""
        with self._lock:
            self._done += count
        self._console.progress(self._text())

    def add_file(self, _file: Hashed) -> None:
        """One file is through."""
        with self._lock:
            self._files += 1
        self._console.progress(self._text())

    def end(self) -> None:
        """All are through."""
        self._console.progress(self._text(), is_last=True)

    def _text(self) -> str:
        seconds = max(time.monotonic() - self._started, 0.001)
        files = f"{self._files} files, " if self._files else ""
        done, total, pace = size(self._done), size(self._total), size(self._done / seconds)
        return f"{self._verb} {files}{done} of {total}, {pace}/s"
