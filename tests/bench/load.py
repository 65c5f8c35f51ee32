"""The client of the benchmarks: processes with kept connections, and bodies made on the fly.

One client for all contestants, so that what it costs falls on each of them alike.
"""

import http.client
import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from multiprocessing.connection import Connection
from typing import Final
from urllib.parse import urlsplit

MEBIBYTE: Final = 1024**2
BLOCK: Final = MEBIBYTE
TIMEOUT_SECONDS: Final = 300


@dataclass(frozen=True)
class Body:
    """Bytes that nobody has sent before: a label, then a pattern up to the size."""

    label: str
    size: int

    def blocks(self, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes of a range, by blocks; the first block is the one that differs."""
        end = self.size if end is None else end
        pattern = bytes(range(256)) * (BLOCK // 256)
        while start < end:
            block = pattern
            if start == 0:
                first = sha256(self.label.encode()).digest()
                block = first + pattern[len(first) :]
            yield block[: end - start]
            start += BLOCK

    def sha256(self, start: int = 0, end: int | None = None) -> str:
        """The digest of a range, in hexadecimal."""
        measured = sha256()
        for block in self.blocks(start, end):
            measured.update(block)
        return measured.hexdigest()


@dataclass(frozen=True)
class Reply:
    """What came back; the body of a large answer is counted and thrown away."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    size: int


class Links:
    """The kept connections of one client, one for each server."""

    def __init__(self) -> None:
        self._open: dict[str, http.client.HTTPConnection] = {}
        self._buffer = bytearray(BLOCK)

    def ask(
        self,
        method: str,
        url: str,
        body: bytes | Iterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The whole answer; anything but success ends the run."""
        where = urlsplit(url)
        link = self._open.get(where.netloc)
        if link is None:
            link = http.client.HTTPConnection(where.netloc, timeout=TIMEOUT_SECONDS)
            self._open[where.netloc] = link
        target = f"{where.path}?{where.query}" if where.query else where.path
        link.request(method, target, body=body, headers=dict(headers or {}))
        response = link.getresponse()
        if response.status >= http.HTTPStatus.MULTIPLE_CHOICES:
            raise SystemExit(f"{method} {url}: {response.status} {response.read(500)!r}")
        kept, size = b"", 0
        while count := response.readinto(self._buffer):
            if size < BLOCK:
                kept += self._buffer[:count]
            size += count
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, kept, size)


Work = Callable[[Links], object]


def drive(works: Sequence[Work], *, clients: int = 1) -> tuple[float, list[object]]:
    """Seconds from the first request to the last answer, and what each work gave, in order.

    Each client is a process of its own with its share of the works. The clock starts when all of
    them are there.
    """
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(clients)
    pipes = []
    for number in range(clients):
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_client, args=(works[number::clients], gate, theirs))
        process.start()
        theirs.close()
        pipes.append((ours, process))
    answers: list[object] = [None] * len(works)
    began, ended = [], []
    for number, (pipe, process) in enumerate(pipes):
        try:
            start, end, given = pipe.recv()
        except EOFError:
            raise SystemExit("a client failed; see above") from None
        process.join()
        began.append(start)
        ended.append(end)
        answers[number::clients] = given
    return max(ended) - min(began), answers


def _client(works: Sequence[Work], gate: Callable[..., object], pipe: Connection) -> None:
    links = Links()
    gate.wait()  # type: ignore[attr-defined] # a Barrier, whose type no stub exports
    start = time.monotonic()
    given = [work(links) for work in works]
    pipe.send((start, time.monotonic(), given))
