"""Run a server in a network namespace of its own, reachable through a unix socket alone.

The timestamp server's metrics listen on port 2112 of every interface, whatever one says: outside
of a namespace strangers could ask it, and a second run of these tests could not start. Used as two
programs, so that neither costs the tests' own process anything:
`unshare --net python namespace.py inside SOCKET PORT COMMAND…` and
`python namespace.py outside SOCKET PORT`.
"""

import ctypes
import fcntl
import signal
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

_SIOCSIFFLAGS: Final = 0x8914
_IFF_UP: Final = 1
_PR_SET_PDEATHSIG: Final = 1


def die_with_the_parent() -> None:
    """For `preexec_fn`: no server outlives the tests, however they end."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def forward(listener: socket.socket, family: int, target: tuple[str, int] | str) -> None:
    """Connect everybody who comes to the target, for ever."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return  # closed
        threading.Thread(target=_join, args=(client, family, target), daemon=True).start()


def _join(client: socket.socket, family: int, target: tuple[str, int] | str) -> None:
    with client, socket.socket(family) as server, suppress(OSError):
        server.connect(target)
        there = threading.Thread(target=_pump, args=(client, server), daemon=True)
        there.start()
        _pump(server, client)
        there.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _inside(path: str, port: int, command: list[str]) -> int:
    """Run the server, and whoever comes to the socket is connected to its port."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", _IFF_UP))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        Path(path).chmod(0o600)
        listener.listen(128)
        target = ("127.0.0.1", port)
        threading.Thread(
            target=forward, args=(listener, socket.AF_INET, target), daemon=True
        ).start()
        return subprocess.run(
            command,
            check=False,
            preexec_fn=die_with_the_parent,
        ).returncode


def _outside(path: str, port: int) -> int:
    """Whoever comes to the port is connected to the socket."""
    with socket.create_server(("127.0.0.1", port), backlog=512) as listener:
        forward(listener, socket.AF_UNIX, path)
    return 0


if __name__ == "__main__":
    side, socket_path, its_port, *its_command = sys.argv[1:]
    sys.exit(
        _inside(socket_path, int(its_port), its_command)
        if side == "inside"
        else _outside(socket_path, int(its_port))
    )
