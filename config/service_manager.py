"""What a long-running command tells the service manager: that it is ready, that it still turns.

Source: sd_notify(3). Without a manager (no NOTIFY_SOCKET) nothing is said to anybody.
"""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

BETWEEN_SECONDS: Final = 1.0


class ServiceManager:
    """The manager that the environment names. Telling it never fails the one who tells."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # A leading @ is how the abstract namespace is written.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._next = 0.0

    def ready(self) -> None:
        """Once, when the work begins."""
        self._tell(b"READY=1")

    def alive(self) -> None:
        """At every turn; passed on once a second."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + BETWEEN_SECONDS
            self._tell(b"WATCHDOG=1")

    def _tell(self, state: bytes) -> None:
        if not self._address:
            return
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(state, self._address)
