"""HTTP to the services of a Sigstore instance: bounded in time and size, and endable from outside.

sigstore-python's own sessions wait for ever. Here a connection is kept only while batches follow
one another: one kept over a pause would be half dead exactly after an outage. No proxy is used.
"""

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from provenance.errors import SignerRefused, SignerUnavailable

_MOST_SHOWN: Final = 300
_LONGEST_WAIT_SECONDS: Final = 3600


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a service may be silent, how much it may say, and how often it is asked at once.

    `batch_seconds` ends everything that one batch has open, however busy it seems: it is shorter
    than the lease on the batch's requests.
    """

    connect_seconds: float = 3
    silent_seconds: float = 15
    batch_seconds: float = 45
    size_bytes: int = 1024 * 1024
    threads: int = 32


class Kept:
    """Connections that wait for their next request, by address.

    Each batch uses them inside of `in_use`; when no batch is left, none is.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: dict[str, list[http.client.HTTPConnection]] = {}
        self._batches = 0

    @contextmanager
    def in_use(self) -> Iterator[None]:
        with self._lock:
            self._batches += 1
        try:
            yield
        finally:
            with self._lock:
                self._batches -= 1
                left = {} if self._batches else self._idle
                if left:
                    self._idle = {}
            for connections in left.values():
                for connection in connections:
                    connection.close()

    def take(self, address: str) -> http.client.HTTPConnection | None:
        """The one that was used last, which is the least likely to have been ended."""
        with self._lock:
            idle = self._idle.get(address)
            return idle.pop() if idle else None

    def keep(self, address: str, connection: http.client.HTTPConnection) -> None:
        """Let another request have it, unless no batch is left that could make one."""
        with self._lock:
            if self._batches:
                self._idle.setdefault(address, []).append(connection)
                return
        connection.close()


@dataclass(slots=True)
class Line:
    """What one batch says to the services, over connections that batches share."""

    limits: Limits
    tls: ssl.SSLContext
    kept: Kept = field(default_factory=Kept)
    _open: set[socket.socket] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_hung_up: bool = False

    def post(self, service: str, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The body of a 2xx answer.

        Raises:
            SignerUnavailable: the service cannot be reached, is too slow, or says that it cannot.
            SignerRefused: the service says that the request is wrong.
        """
        try:
            response, content = self._exchange(url, body, headers)
        except TimeoutError as error:
            raise SignerUnavailable(service=service, url=url, reason="no-answer-in-time") from error
        except (OSError, http.client.HTTPException) as error:
            reason = "batch-too-slow" if self._is_hung_up else "not-reachable"
            raise SignerUnavailable(
                service=service, url=url, reason=reason, found=type(error).__name__
            ) from error
        if len(content) > self.limits.size_bytes:
            raise SignerUnavailable(service=service, url=url, reason="answer-too-large")
        _judge(service, url, response, content)
        return content

    @property
    def is_hung_up(self) -> bool:
        """Whether nothing more can be said."""
        return self._is_hung_up

    def hang_up(self) -> None:
        """End all connections at once, and let nobody open another."""
        with self._lock:
            self._is_hung_up = True
            for opened in self._open:
                with suppress(OSError):
                    opened.shutdown(socket.SHUT_RDWR)

    def _exchange(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPResponse, bytes]:
        """Over a kept connection, if there is one; and once more, if that had been ended.

        Asking twice is harmless: see the port `Signer`.
        """
        parts = urlsplit(url)
        address = f"{parts.scheme}://{parts.netloc}"
        while (kept := self.kept.take(address)) is not None:
            with suppress(ConnectionError):
                return self._ask(kept, url, body, headers)
            if self._is_hung_up:
                raise ConnectionAbortedError
        return self._ask(self._connection(url), url, body, headers)

    def _ask(
        self,
        connection: http.client.HTTPConnection,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
    ) -> tuple[http.client.HTTPResponse, bytes]:
        parts = urlsplit(url)
        is_reusable = False
        try:
            with self._connected(connection):
                connection.request("POST", parts.path or "/", body, dict(headers))
                response = connection.getresponse()
                content = response.read(self.limits.size_bytes + 1)
                if self._is_hung_up:  # what was cut off may look like a whole answer
                    raise ConnectionAbortedError
                is_reusable = response.isclosed() and not response.will_close
        finally:
            if is_reusable:
                self.kept.keep(f"{parts.scheme}://{parts.netloc}", connection)
            else:
                connection.close()
        return response, content

    def _connection(self, url: str) -> http.client.HTTPConnection:
        parts, wait = urlsplit(url), self.limits.connect_seconds
        host = parts.hostname or ""
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, parts.port, timeout=wait, context=self.tls)
        return http.client.HTTPConnection(host, parts.port, timeout=wait)

    @contextmanager
    def _connected(self, connection: http.client.HTTPConnection) -> Iterator[None]:
        if self._is_hung_up:
            raise ConnectionAbortedError
        if connection.sock is None:
            connection.connect()
        opened: socket.socket = connection.sock
        opened.settimeout(self.limits.silent_seconds)
        with self._registered(opened):
            yield

    @contextmanager
    def _registered(self, opened: socket.socket) -> Iterator[None]:
        with self._lock:
            if self._is_hung_up:
                raise ConnectionAbortedError
            self._open.add(opened)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(opened)


def _judge(service: str, url: str, response: http.client.HTTPResponse, content: bytes) -> None:
    if http.client.OK <= response.status < http.client.MULTIPLE_CHOICES:
        return
    facts = {
        "service": service,
        "url": url,
        "status": response.status,
        "found": content[:_MOST_SHOWN].decode(errors="replace").strip(),
    }
    is_about_the_request = (
        http.client.BAD_REQUEST <= response.status < http.client.INTERNAL_SERVER_ERROR
        and response.status not in (http.client.REQUEST_TIMEOUT, http.client.TOO_MANY_REQUESTS)
    )
    if is_about_the_request:
        raise SignerRefused(reason="service-refused", **facts)
    if (wait := _retry_after(response)) is not None:
        facts["retry_after_seconds"] = wait
    raise SignerUnavailable(reason="service-failed", **facts)


def _retry_after(response: http.client.HTTPResponse) -> int | None:
    """Seconds, as far as they are given as such; at most an hour (RFC 9110, section 10.2.3)."""
    value = response.headers.get("Retry-After", "")
    if not value.isascii() or not value.isdigit():
        return None
    return min(int(value[:9]), _LONGEST_WAIT_SECONDS)
