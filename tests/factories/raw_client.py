"""A client that sends an upload byte by byte, and can vanish at any of them."""

import fcntl
import socket
import struct
import termios
import time
from dataclasses import dataclass
from hashlib import sha256
from typing import Final
from urllib.parse import urlsplit

from kernel.digest import Sha256

CHUNK_BYTES: Final = 40_000


@dataclass(frozen=True, slots=True)
class RawUpload:
    """One PUT as its bytes, and where they can be cut: offsets from its first byte, by name."""

    address: tuple[str, int]
    request: bytes
    cuts: dict[str, int]

    def send(self) -> bytes:
        """All of it; the answer."""
        with socket.create_connection(self.address, timeout=60) as connection:
            connection.sendall(self.request)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def vanish(self, cut: str, *, is_reset: bool) -> None:
        """What stands before the cut arrives; then the connection is closed, or reset."""
        with socket.create_connection(self.address, timeout=60) as connection:
            connection.sendall(self.request[: self.cuts[cut]])
            if is_reset:
                _await_arrival(connection)
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def with_length(url: str, token: str, data: bytes) -> RawUpload:
    """An upload that announces its length."""
    head = _head(url, token, data, f"Content-Length: {len(data)}")
    cuts = _cuts(len(head)) | {
        "half of the body": len(head) + len(data) // 2,
        "the last byte missing": len(head) + len(data) - 1,
        "the answer unread": len(head) + len(data),
    }
    return RawUpload(_address(url), head + data, cuts)


def chunked(url: str, token: str, data: bytes) -> RawUpload:
    """An upload in two chunks, whose digest is declared."""
    head = _head(url, token, data, "Transfer-Encoding: chunked")
    first, second = _chunk(data[:CHUNK_BYTES]), _chunk(data[CHUNK_BYTES:])
    begins = first.index(b"\r\n") + 2
    behind = len(head) + len(first)
    whole = behind + len(second)
    cuts = _cuts(len(head), first_byte=begins + 1) | {
        "in a chunk's header": len(head) + 2,
        "in a chunk": len(head) + begins + CHUNK_BYTES // 2,
        "behind a chunk's data": behind - 2,
        "between chunks": behind,
        "in the second chunk's header": behind + 2,
        "no last chunk": whole,
        "in the last chunk": whole + 1,
        "the last byte missing": whole + 4,
        "the answer unread": whole + 5,
    }
    return RawUpload(_address(url), head + first + second + b"0\r\n\r\n", cuts)


def _await_arrival(connection: socket.socket) -> None:
    """A reset throws away what is still on its way."""
    waiting = bytearray(4)
    deadline = time.monotonic() + 60
    while fcntl.ioctl(connection, termios.TIOCOUTQ, waiting) or any(waiting):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def _cuts(head: int, *, first_byte: int = 1) -> dict[str, int]:
    return {
        "in the headers": head // 2,
        "no byte of the body": head,
        "one byte of the body": head + first_byte,
    }


def _head(url: str, token: str, data: bytes, framing: str) -> bytes:
    lines = [
        f"PUT {urlsplit(url).path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {token}",
        f"Repr-Digest: {Sha256.of(sha256(data).digest()).field}",
        "Connection: close",
        framing,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _address(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 0
