"""How many archives a process looks into at once: the work is other people's to cause."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from artifacts.errors import ArchivesBusy

PATIENCE_SECONDS: Final = 1.0


class Turns:
    """At most so many holders at once, over all threads of the process."""

    def __init__(
        self, most: int, *, setting: str, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self._most = most
        self._setting = setting
        self._patience_seconds = patience_seconds
        self._free = threading.BoundedSemaphore(most)

    @contextmanager
    def take(self) -> Iterator[None]:
        """Hold a turn for the block, after waiting for one for a moment.

        Raises:
            ArchivesBusy: none became free.
        """
        if not self._free.acquire(timeout=self._patience_seconds):
            raise ArchivesBusy(
                limit_archives=self._most,
                setting=self._setting,
                raised_by="the operator of this store",
            )
        try:
            yield
        finally:
            self._free.release()
