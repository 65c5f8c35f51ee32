"""A gate before a server: open, refused or silent, as a test wants it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Gate:
    """Carries bytes between its own port of loopback and one server.

    Refused: nobody listens, and who was inside is thrown out. Silent: everybody may connect, and
    nothing is carried, also for those who were inside.
    """

    target: tuple[str, int] | str
    port: int = 0
    _listener: socket.socket | None = None
    _inside: set[socket.socket] = field(default_factory=set)
    _carries: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def open(self) -> None:
        """Carry everything, also what was held back."""
        self._carries.set()
        if self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port), backlog=256)
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def refuse(self) -> None:
        """Close the port and every connection."""
        if self._listener is not None:
            # Closed while another thread accepts, it would take one more.
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            for one in self._inside:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        self._carries.set()  # who holds something back finds out that it is over

    def be_silent(self) -> None:
        """Hold everything back."""
        self._carries.clear()

    @contextmanager
    def refused(self) -> Iterator[None]:
        """Refused for a while."""
        self.refuse()
        try:
            yield
        finally:
            self.open()

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Silent for a while."""
        self.be_silent()
        try:
            yield
        finally:
            self.open()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(client,), daemon=True).start()

    def _join(self, client: socket.socket) -> None:
        family = socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET
        with client, socket.socket(family) as server, suppress(OSError):
            server.connect(self.target)
            with self._lock:
                self._inside |= {client, server}
            there = threading.Thread(target=self._pump, args=(client, server), daemon=True)
            there.start()
            self._pump(server, client)
            there.join()
            with self._lock:
                self._inside -= {client, server}

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                self._carries.wait()
                sink.sendall(piece)
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def gate(target: tuple[str, int] | str) -> Iterator[Gate]:
    """A gate that is open, and closed at the end."""
    made = Gate(target)
    made.open()
    try:
        yield made
    finally:
        made.refuse()
