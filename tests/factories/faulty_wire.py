"""A wire to an S3 server that fails in one way, for the requests that a test chooses."""

import http.client
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final
from urllib.parse import parse_qs, urlsplit

PIECES: Final = 8
PAUSE_SECONDS: Final = 0.05
BUSY: Final = b"<Error><Code>SlowDown</Code></Error>"
FORGOTTEN: Final = b"<Error><Code>NoSuchUpload</Code></Error>"
FAILED: Final = b"<Error><Code>InternalError</Code></Error>"


class Fault(StrEnum):
    """What the wire does instead of carrying a request and its answer."""

    NONE = "none"
    SLOW = "slow"
    SILENT = "silent"
    BUSY = "503"
    BUSY_CUT = "503, truncated"
    HUNG_UP = "hung up"
    REQUEST_CUT = "request truncated"
    REQUEST_CHANGED = "request with a wrong byte"
    ANSWER_LOST = "answer lost"
    FAILED_AFTERWARDS = "500 after it was done"
    FORGOTTEN = "NoSuchUpload after it was done"
    ANSWER_CUT = "answer truncated"
    ANSWER_CHANGED = "answer with a wrong byte"


class Operation(StrEnum):
    """What a request wants, by S3's own names."""

    PUT = "PutObject"
    BEGIN = "CreateMultipartUpload"
    PART = "UploadPart"
    COMPLETE = "CompleteMultipartUpload"
    GET = "GetObject"
    OTHER = "another"


@dataclass(slots=True)
class FaultyWire:
    """Carries requests to the server; `fail` says which ones it harms, and how often."""

    url: str
    fault: Fault = Fault.NONE
    operation: Operation = Operation.OTHER
    left: int = 0
    met: Counter[str] = field(default_factory=Counter)
    # Set, it ends the silence of those who wait in it.
    speaks: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def failing(self, operation: Operation, fault: Fault, *, times: int) -> Iterator[None]:
        """For a while: so many of these requests fail in this way."""
        self.operation, self.fault, self.left = operation, fault, times
        try:
            yield
        finally:
            self.fault = Fault.NONE

    def meets(self, operation: Operation) -> Fault:
        """What becomes of the next request."""
        self.met[operation] += 1
        if self.fault is Fault.NONE or operation is not self.operation or not self.left:
            return Fault.NONE
        self.left -= 1
        return self.fault


@contextmanager
def running_faulty_wire(endpoint: str) -> Iterator[FaultyWire]:
    """A wire to this server that carries everything at first."""
    target = urlsplit(endpoint)

    class Bound(_Handler):
        server_address = (target.hostname or "", target.port or 0)

    with _Server(("127.0.0.1", 0), Bound) as server:
        wire = Bound.wire = FaultyWire(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield wire
        finally:
            wire.speaks.set()
            server.shutdown()
            thread.join()


def operation_of(method: str, path: str) -> Operation:
    """What a request wants."""
    query = parse_qs(urlsplit(path).query, keep_blank_values=True)
    match method:
        case "PUT":
            return Operation.PART if "partNumber" in query else Operation.PUT
        case "POST":
            return Operation.BEGIN if "uploads" in query else Operation.COMPLETE
        case "GET" if not query.keys() & {"uploads", "uploadId", "versions", "versioning"}:
            return Operation.GET
        case _:
            return Operation.OTHER


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Connections that break are what this is about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    server_address: tuple[str, int]
    wire: FaultyWire

    def log_message(self, *_: object) -> None:
        """Silent."""

    def _carry(self) -> None:
        fault = self.wire.meets(operation_of(self.command, self.path))
        if fault is Fault.HUNG_UP:
            self._hang_up()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match fault:
            case Fault.SILENT:
                self.wire.speaks.wait(20)
                self._hang_up()
            case Fault.BUSY:
                self._answer(_Answer(503, [], BUSY))
            case Fault.BUSY_CUT:
                self._cut(_Answer(503, [], BUSY))
            case Fault.REQUEST_CUT:
                self._forward_half(body)
                self._hang_up()
            case Fault.REQUEST_CHANGED:
                self._answer(self._forward(_changed(body)))
            case _:
                self._spoil(fault, self._forward(body))

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _carry  # noqa: N815 - the standard library's names

    def _spoil(self, fault: Fault, answer: _Answer) -> None:
        """The server has done it: only its answer is harmed."""
        match fault:
            case Fault.ANSWER_LOST:
                self._hang_up()
            case Fault.FAILED_AFTERWARDS:
                self._answer(_Answer(500, [], FAILED))
            case Fault.FORGOTTEN:
                self._answer(_Answer(404, [], FORGOTTEN))
            case Fault.ANSWER_CUT:
                self._cut(answer)
            case Fault.ANSWER_CHANGED:
                self._answer(_Answer(answer.status, answer.headers, _changed(answer.body)))
            case Fault.SLOW:
                self._drip(answer)
            case _:
                self._answer(answer)

    def _opened(self, length: int) -> http.client.HTTPConnection:
        """A request to the server whose body is still to be sent; the signed headers unchanged."""
        connection = http.client.HTTPConnection(*self.server_address, timeout=60)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("content-length", "connection", "expect"):
                connection.putheader(name, value)
        connection.putheader("Content-Length", str(length))
        connection.endheaders()
        return connection

    def _forward(self, body: bytes) -> _Answer:
        connection = self._opened(len(body))
        connection.send(body)
        response = connection.getresponse()
        content = response.read()
        kept = [
            (name, value)
            for name, value in response.getheaders()
            if name.lower() not in ("transfer-encoding", "connection")
        ]
        connection.close()
        return _Answer(response.status, kept, content)

    def _forward_half(self, body: bytes) -> None:
        connection = self._opened(len(body))
        connection.send(body[: len(body) // 2])
        connection.close()

    def _head(self, answer: _Answer) -> None:
        self.send_response_only(answer.status)
        named = {name.lower() for name, _ in answer.headers}
        for name, value in answer.headers:
            self.send_header(name, value)
        if "content-length" not in named:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()

    def _answer(self, answer: _Answer) -> None:
        self._head(answer)
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def _cut(self, answer: _Answer) -> None:
        self._head(answer)
        self.wfile.write(answer.body[: len(answer.body) // 2])
        self.wfile.flush()
        self._hang_up()

    def _drip(self, answer: _Answer) -> None:
        self._head(answer)
        step = max(1, -(-len(answer.body) // PIECES))
        for start in range(0, len(answer.body), step):
            time.sleep(PAUSE_SECONDS)
            self.wfile.write(answer.body[start : start + step])
            self.wfile.flush()

    def _hang_up(self) -> None:
        """RST instead of FIN: nothing more is said."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RDWR)


def _changed(body: bytes) -> bytes:
    """The same with its middle byte another one."""
    middle = len(body) // 2
    return (
        body[:middle] + bytes(byte ^ 1 for byte in body[middle : middle + 1]) + body[middle + 1 :]
    )
