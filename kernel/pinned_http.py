"""HTTP to others at addresses that were checked: resolved once, and connected to as resolved.

A name that answers one address to the check and another to the connection (DNS rebinding) gains
nothing: there is no second question.
"""

import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

import certifi
import urllib3

from kernel.addresses import Reach, forbidden

Resolver = Callable[[str, int], Sequence[str]]

MOST_ADDRESSES: Final = 16
_TRIED_ADDRESSES: Final = 3
_PIECE: Final = 16 * 1024
OK: Final = 200
_PORTS: Final = {"http": 80, "https": 443}
_HEADERS: Final[Mapping[str, str]] = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "strongroom",
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how large. The numbers are for one request; tests give smaller ones."""

    connect_seconds: float = 3
    read_seconds: float = 5
    total_seconds: float = 10
    size_bytes: int = 256 * 1024
    # How long what was fetched counts as fresh, an unknown name as asked for, a failure as one.
    # An issuer that rotates publishes the new key well before it signs with it; an unknown key id
    # may be a new key, or a stranger's invention: ask, but not for each.
    fresh_seconds: float = 600
    refresh_seconds: float = 30
    failed_seconds: float = 5


def system_addresses(host: str, port: int) -> Sequence[str]:
    """What this machine's resolver answers, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Unanswered(Exception):
    """The host is not to be asked, or does not answer as it has to; `reason` is for people."""

    def __init__(self, reason: str, *, address: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.address = address


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `headers` by their names in lower case; `body` only of a plain 200."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class PinnedHttp:
    """GET, and nothing else. It takes nothing from the environment: no proxy, no netrc credentials.

    `certificates` names a file of authorities to believe instead of the usual ones.
    """

    limits: Limits
    resolve: Resolver = system_addresses
    certificates: str = certifi.where()
    clock: Callable[[], float] = time.monotonic

    def body(self, reach: Reach, url: str) -> bytes:
        """The body of a plain 200.

        Raises:
            Unanswered: as `ask`, or the answer has another status.
            urllib3.exceptions.HTTPError, OSError: the network failed.
        """
        answer = self.ask(reach, url)
        if answer.status != OK:
            raise Unanswered(f"the answer has status {answer.status}", address=url)
        return answer.body

    def ask(self, reach: Reach, url: str, *, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer, whatever its status, read piece by piece so that we end size and time.

        Redirects are answers like others: nobody follows them, with or without credentials.

        Raises:
            Unanswered: the host is not to be asked, or its answer is too large or too slow.
            urllib3.exceptions.HTTPError, OSError: the network failed.
        """
        started = self.clock()
        with self._response(reach, url, headers or {}) as response:
            told = {name.lower(): value for name, value in response.headers.items()}
            if response.status != OK:
                return Answer(response.status, told)
            return Answer(response.status, told, self._read(response, url, started))

    def _read(self, response: urllib3.HTTPResponse, url: str, started: float) -> bytes:
        limits = self.limits
        body = bytearray()
        # Not decoded: a small compressed body could become a huge one. `read1` answers with
        # what has arrived, so that a byte now and then does not hold us for ever.
        while piece := response.read1(_PIECE, decode_content=False):
            body += piece
            if len(body) > limits.size_bytes:
                raise Unanswered("too large", address=url)
            if self.clock() - started >= limits.total_seconds:
                raise Unanswered("too slow", address=url)
        return bytes(body)

    @contextmanager
    def _response(
        self, reach: Reach, url: str, headers: Mapping[str, str]
    ) -> Iterator[urllib3.HTTPResponse]:
        parts = urlsplit(url)
        addresses = self._checked(reach, parts)
        for number, address in enumerate(addresses, start=1):
            with self._pool(parts, address) as pool:
                try:
                    response = pool.urlopen(
                        "GET",
                        (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                        headers={**_HEADERS, **headers, "Host": parts.netloc},
                        redirect=False,
                        retries=False,
                        preload_content=False,
                    )
                except (
                    urllib3.exceptions.NewConnectionError,
                    urllib3.exceptions.ConnectTimeoutError,
                ):
                    if number == len(addresses):
                        raise
                    continue
                try:
                    yield response  # type: ignore[misc] # without preloading it is this type
                finally:
                    response.close()
                return

    def _checked(self, reach: Reach, parts: SplitResult) -> Sequence[str]:
        """The addresses of the host, every one of them allowed."""
        found = self.resolve(parts.hostname or "", _port(parts))
        if not found or len(found) > MOST_ADDRESSES:
            raise Unanswered("its host has no usable address")
        refused = forbidden(found, reach)
        if refused is not None:
            raise Unanswered("its host has a private address", address=refused)
        return found[:_TRIED_ADDRESSES]

    def _pool(self, parts: SplitResult, address: str) -> urllib3.HTTPConnectionPool:
        timeout = urllib3.Timeout(
            connect=self.limits.connect_seconds, read=self.limits.read_seconds
        )
        if parts.scheme != "https":
            return urllib3.HTTPConnectionPool(address, _port(parts), timeout=timeout)
        # The certificate has to be for the name, not for the address that we connect to.
        return urllib3.HTTPSConnectionPool(
            address,
            _port(parts),
            timeout=timeout,
            cert_reqs="CERT_REQUIRED",
            ca_certs=self.certificates,
            server_hostname=parts.hostname,
            assert_hostname=parts.hostname,
        )


def _port(parts: SplitResult) -> int:
    return parts.port or _PORTS[parts.scheme]
