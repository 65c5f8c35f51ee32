"""A wire between client and store that a test can cut, and connect again."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(slots=True)
class Wire:
    """Carries bytes both ways. Cut, it is silent: nothing arrives, nothing is closed."""

    url: str
    carried_bytes: int = 0
    is_connected: threading.Event = field(default_factory=threading.Event)
    is_over: threading.Event = field(default_factory=threading.Event)
    # So many bytes to the store, and the wire is cut.
    cut_after_bytes: int | None = None
    has_been_cut: threading.Event = field(default_factory=threading.Event)
    replaced: int = 0

    def cut(self) -> None:
        """From now on nothing passes."""
        self.is_connected.clear()
        self.has_been_cut.set()

    def connect(self) -> None:
        """It passes again."""
        self.is_connected.set()

    def replace(self) -> None:
        """Another wire passes from now on; what was under way on the old one never arrives."""
        self.replaced += 1
        self.connect()

    def count(self, size: int) -> None:
        """So many bytes went to the store."""
        self.carried_bytes += size
        if self.cut_after_bytes is not None and self.carried_bytes >= self.cut_after_bytes:
            self.cut_after_bytes = None
            self.cut()


@contextmanager
def running_wire(host: str, port: int) -> Iterator[Wire]:
    """A wire to this address, connected."""
    listener = socket.create_server(("127.0.0.1", 0))
    wire = Wire(f"http://127.0.0.1:{listener.getsockname()[1]}")
    wire.connect()
    threads: list[threading.Thread] = []
    accepting = threading.Thread(target=_accept, args=(listener, (host, port), wire, threads))
    accepting.start()
    try:
        yield wire
    finally:
        wire.is_over.set()
        wire.connect()
        # Wakes `accept`, which closing alone does not.
        with suppress(OSError):
            socket.create_connection(listener.getsockname(), timeout=1).close()
        accepting.join()
        listener.close()
        for thread in threads:
            thread.join()


def _accept(
    listener: socket.socket, target: tuple[str, int], wire: Wire, threads: list[threading.Thread]
) -> None:
    while not wire.is_over.is_set():
        near, _ = listener.accept()
        if wire.is_over.is_set():
            near.close()
            return
        thread = threading.Thread(target=_carry, args=(near, target, wire))
        thread.start()
        threads.append(thread)


def _carry(near: socket.socket, target: tuple[str, int], wire: Wire) -> None:
    with near, suppress(OSError), socket.create_connection(target) as far:
        selector, number = selectors.DefaultSelector(), wire.replaced
        selector.register(near, selectors.EVENT_READ, far)
        selector.register(far, selectors.EVENT_READ, near)
        while not wire.is_over.is_set():
            for key, _ in selector.select(timeout=0.05):
                wire.is_connected.wait()
                if wire.replaced != number:
                    return
                data = key.fileobj.recv(65536)  # type: ignore[union-attr] # sockets were registered
                if not data:
                    return
                key.data.sendall(data)
                if key.data is far:
                    wire.count(len(data))
