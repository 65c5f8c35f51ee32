"""HTTP to the services of a Sigstore instance: bounded in time and size, and endable from outside.

sigstore-python's own sessions wait for ever. Here a connection serves one request: batches are
seconds apart, and a kept one would be half dead exactly after an outage. No proxy is used.
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


@dataclass(slots=True)
class Line:
    """The connections of one batch."""

    limits: Limits
    tls: ssl.SSLContext
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
            with self._connected(url) as connection:
                parts = urlsplit(url)
                connection.request("POST", parts.path or "/", body, dict(headers))
                response = connection.getresponse()
                content = response.read(self.limits.size_bytes + 1)
                if self._is_hung_up:  # what was cut off may look like a whole answer
                    raise ConnectionAbortedError
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

    def hang_up(self) -> None:
        """End all connections at once, and let nobody open another."""
        with self._lock:
            self._is_hung_up = True
            for opened in self._open:
                with suppress(OSError):
                    opened.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _connected(self, url: str) -> Iterator[http.client.HTTPConnection]:
        parts, wait = urlsplit(url), self.limits.connect_seconds
        host = parts.hostname or ""
        connection = (
            http.client.HTTPSConnection(host, parts.port, timeout=wait, context=self.tls)
            if parts.scheme == "https"
            else http.client.HTTPConnection(host, parts.port, timeout=wait)
        )
        try:
            if self._is_hung_up:
                raise ConnectionAbortedError
            connection.connect()
            opened: socket.socket = connection.sock
            opened.settimeout(self.limits.silent_seconds)
            with self._registered(opened):
                yield connection
        finally:
            connection.close()

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
