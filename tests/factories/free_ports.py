"""Ports of loopback that nobody uses at this moment.

They are below those that the kernel gives to connections (from 32768), or a connection of another
process could have taken one before its server listens.
"""

import secrets
import socket
from contextlib import ExitStack, suppress
from typing import Final

_PORTS: Final = range(10_000, 32_000)
_TRIES: Final = 1000


def free_ports(count: int) -> list[int]:
    """So many different ones."""
    with ExitStack() as probes:
        return [_probe(probes) for _ in range(count)]


def free_port() -> int:
    """One."""
    [port] = free_ports(1)
    return port


def _probe(probes: ExitStack) -> int:
    """A port that could be listened to just now, and is until the probes end."""
    for _ in range(_TRIES):
        port = secrets.choice(_PORTS)
        with suppress(OSError):
            probes.enter_context(socket.create_server(("127.0.0.1", port)))
            return port
    raise AssertionError(f"no port of {_PORTS} is free")
