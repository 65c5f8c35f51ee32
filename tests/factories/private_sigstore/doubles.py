"""Services that fail in one way, or answer plausibly and wrong: the real one behind a liar."""

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from tests.factories.private_sigstore.serving import Answer, Request, serving

Forward = Callable[[Request], Answer]
Lie = Callable[[Request, Forward], Answer]


@contextmanager
def double(real: str, lie: Lie) -> Iterator[str]:
    """Answer in the place of the real service, which can be asked."""

    def forward(request: Request) -> Answer:
        parts = urlsplit(real)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
        kept = ("Authorization", "Content-Type", "Accept")
        headers = {name: value for name, value in request.headers.items() if name in kept}
        connection.request("POST", request.path, request.body, headers)
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return Answer(content, response.status)

    with serving(lambda request: lie(request, forward)) as address:
        yield address


@contextmanager
def nobody() -> Iterator[str]:
    """An address where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@contextmanager
def mute() -> Iterator[str]:
    """Takes every connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def dripping() -> Iterator[str]:
    """Sends a header that never ends, a byte now and then, so that it is never silent."""
    stop = threading.Event()

    def drip(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not stop.wait(0.05):
                client.sendall(b"x")

    def accept(listener: socket.socket) -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                client, _ = listener.accept()
                drips.append(threading.Thread(target=drip, args=(client,)))
                drips[-1].start()

    drips: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        listener.settimeout(0.05)
        thread = threading.Thread(target=accept, args=(listener,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            for one in (thread, *drips):
                one.join()
