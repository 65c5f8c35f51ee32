"""The download log in the database, written in batches by a thread of its own.

    add → buffer (bounded) → a quarter of a second → one INSERT

A request pays nothing but the append. What a killed process had not written yet is lost: at most
what was handed out in its last second.
"""

import atexit
import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict
from multiprocessing import util
from typing import Final

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from artifacts.errors import DownloadLogUnavailable
from artifacts.models import Download
from artifacts.ports import DownloadEntry

logger = logging.getLogger(__name__)

MOST_WAITING: Final = 10_000
BATCH: Final = 1_000
LINGER_SECONDS: Final = 0.25
RETRY_SECONDS: Final = 0.5
PATIENCE_SECONDS: Final = 3.0

Write = Callable[[Sequence[DownloadEntry]], None]


def write_rows(entries: Sequence[DownloadEntry]) -> None:
    """Insert the entries; those that are there already stay as they are."""
    try:
        Download.objects.bulk_create(
            (Download(**asdict(entry)) for entry in entries), ignore_conflicts=True
        )
    finally:
        connection.close()  # this thread is idle most of the time, the pool's others are not


class BufferedDownloadLog:
    """Implements DownloadLog. One a process; it starts its thread when it is first used."""

    def __init__(self, write: Write = write_rows, *, most_waiting: int = MOST_WAITING) -> None:
        self._write = write
        self._most_waiting = most_waiting
        self._waiting: deque[DownloadEntry] = deque()
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._owner = 0

    def add(self, entry: DownloadEntry) -> None:
        with self._changed:
            has_room = self._changed.wait_for(
                lambda: len(self._waiting) < self._most_waiting, timeout=PATIENCE_SECONDS
            )
            if not has_room:
                raise DownloadLogUnavailable(waiting=len(self._waiting))
            self._waiting.append(entry)
            self._start()
            self._changed.notify_all()

    def flush(self) -> None:
        """Write what waits, for as long as that works, and at most for a few seconds."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._waiting and time.monotonic() < deadline:
            if not self._write_batch():
                break
        if self._waiting:
            logger.error("downloads not logged", extra={"lost": len(self._waiting)})

    def _start(self) -> None:
        """A thread, and a last flush; once in this process, also when it was forked."""
        if self._owner == os.getpid():
            return
        self._owner = os.getpid()
        threading.Thread(target=self._run, name="download-log", daemon=True).start()
        atexit.register(self.flush)
        # A forked worker of a web server ends without atexit.
        util.Finalize(None, self.flush, exitpriority=100)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
            time.sleep(LINGER_SECONDS)
            while self._waiting:
                if not self._write_batch():
                    time.sleep(RETRY_SECONDS)

    def _write_batch(self) -> bool:
        """Write the oldest entries; they leave the buffer when they are in the database."""
        with self._writing:
            batch = [self._waiting[i] for i in range(min(BATCH, len(self._waiting)))]
            try:
                self._write(batch)
            except (OperationalError, InterfaceError) as error:
                logger.warning("download log waits", extra={"error": str(error)})
                return False
            except DatabaseError:
                self._write_each(batch)
            with self._changed:
                for _ in batch:
                    self._waiting.popleft()
                self._changed.notify_all()
            return True

    def _write_each(self, batch: Sequence[DownloadEntry]) -> None:
        """A row that the database cannot take must not keep the others out."""
        for entry in batch:
            try:
                self._write([entry])
            except DatabaseError:
                logger.exception("download not logged", extra={"entry": str(asdict(entry))})
