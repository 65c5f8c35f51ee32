"""Connections to a Sigstore instance: kept while batches follow one another, and no longer."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from provenance.adapters.sigstore_instance.line import Kept, Limits, Line
from provenance.errors import SignerUnavailable

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class Server:
    """Answers every request so, and ends a connection after so many without saying it."""

    listener: socket.socket
    answer: bytes = ANSWER
    requests_each: int = 1000
    accepted: list[socket.socket] = field(default_factory=list)
    answered: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}/log"

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                opened, _ = self.listener.accept()
                self.accepted.append(opened)
                threading.Thread(target=self._answer, args=(opened,), daemon=True).start()

    def _answer(self, opened: socket.socket) -> None:
        with opened, suppress(OSError):
            for _ in range(self.requests_each):
                asked = b""
                while b"\r\n\r\nbody" not in asked:
                    if not (piece := opened.recv(4096)):
                        return
                    asked += piece
                self.answered += 1
                opened.sendall(self.answer)


@pytest.fixture
def server() -> Iterator[Server]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = Server(listener)
        thread = threading.Thread(target=running.serve, daemon=True)
        thread.start()
        yield running
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def ask(server: Server, kept: Kept, times: int = 1) -> None:
    line = Line(Limits(connect_seconds=5, silent_seconds=5), ssl.create_default_context(), kept)
    for _ in range(times):
        assert line.post("rekor", server.url, b"body", {}) == b"ok"


def test_asks_again_over_the_same_connection(server: Server) -> None:
    kept = Kept()

    with kept.in_use(), kept.in_use():
        ask(server, kept, times=3)

    assert (len(server.accepted), server.answered) == (1, 3)


def test_keeps_none_when_no_batch_is_left(server: Server) -> None:
    kept = Kept()

    for _ in range(2):
        with kept.in_use():
            ask(server, kept)
    ask(server, kept)

    assert len(server.accepted) == 3


def test_keeps_them_while_another_batch_is_under_way(server: Server) -> None:
    kept = Kept()

    with kept.in_use():
        for _ in range(2):
            with kept.in_use():
                ask(server, kept)

    assert len(server.accepted) == 1


def test_asks_anew_when_the_kept_one_was_ended(server: Server) -> None:
    server.requests_each = 1
    kept = Kept()

    with kept.in_use():
        ask(server, kept, times=3)

    assert (len(server.accepted), server.answered) == (3, 3)


def test_does_not_keep_one_that_is_to_be_closed(server: Server) -> None:
    server.answer = ANSWER.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    kept = Kept()

    with kept.in_use():
        ask(server, kept, times=2)

    assert len(server.accepted) == 2


def test_is_not_asked_over_a_kept_one_after_hanging_up(server: Server) -> None:
    kept = Kept()
    line = Line(Limits(), ssl.create_default_context(), kept)

    with kept.in_use():
        line.post("rekor", server.url, b"body", {})
        line.hang_up()
        with pytest.raises(SignerUnavailable) as refusal:
            line.post("rekor", server.url, b"body", {})

    assert refusal.value.facts["reason"] == "batch-too-slow"
    assert server.answered == 1
