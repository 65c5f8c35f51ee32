"""The ports of an instance: chosen once, because its address is part of every builder id."""

import json
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil

from config.embedded.credentials import write_private
from config.embedded.home import CannotStart

LOOPBACK: Final = "127.0.0.1"
DEFAULT_PORT: Final = 8420
ANY: Final = 0


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the store and the development issuer listen."""

    web: int
    issuer: int

    @property
    def url(self) -> str:
        """The store's address: PUBLIC_URL."""
        return f"http://{LOOPBACK}:{self.web}"

    @property
    def issuer_url(self) -> str:
        """The development issuer's address, which is its name."""
        return f"http://{LOOPBACK}:{self.issuer}"


def choose_ports(file: Path, *, wanted: int | None) -> Ports:
    """The ports kept in `file`, or those chosen now and kept: `wanted`, 8420, or any (0).

    Raises:
        CannotStart: a port is taken, or another one than the kept one is wanted.
    """
    if file.exists():
        return _kept(Ports(**json.loads(file.read_text())), wanted=wanted)
    web = DEFAULT_PORT if wanted is None else wanted
    if web == ANY:
        ports = Ports(web=_any_free(), issuer=_any_free())
    else:
        if not _is_free(web):
            raise CannotStart(
                f"port {web} is in use{_by_whom(web)}. This is the first start, so another one "
                "can be chosen, once and for all: make up PORT=8430 (or --port 0 for any)"
            )
        ports = Ports(web=web, issuer=web + 1 if _is_free(web + 1) else _any_free())
    write_private(file, json.dumps(asdict(ports)))
    return ports


def _kept(ports: Ports, *, wanted: int | None) -> Ports:
    if wanted not in (None, ANY, ports.web):
        raise CannotStart(
            f"this instance is {ports.url}, and its address is part of every builder id: start "
            "it without a port, or make another one with --data"
        )
    for port in (ports.web, ports.issuer):
        if not _is_free(port):
            raise CannotStart(
                f"port {port} is in use{_by_whom(port)}. This instance is {ports.url}; its "
                "address is part of every builder id and does not move: end that program, then "
                "start again"
            )
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, so that connections that have just ended do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except (OSError, OverflowError):
            return False
        return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, ANY))
        port: int = probe.getsockname()[1]
        return port


def _by_whom(port: int) -> str:
    """Names the program that listens, as far as this user may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr[1] == port and connection.pid:
                return f" by process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        return " by another program"
    return " by another program"
