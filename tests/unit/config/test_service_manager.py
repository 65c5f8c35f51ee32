"""It tells the service manager that it is ready and turns, and needs none."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.service_manager import ServiceManager
from tests.environment import SCRATCH


@pytest.fixture
def heard() -> Iterator[tuple[socket.socket, Path]]:
    address = SCRATCH / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(address))
        listener.setblocking(False)  # noqa: FBT003 - the socket's own signature
        yield listener, address
    address.unlink()


def test_says_ready_and_once_a_second_that_it_turns(heard: tuple[socket.socket, Path]) -> None:
    listener, address = heard
    manager = ServiceManager({"NOTIFY_SOCKET": str(address)})

    manager.ready()
    manager.alive()
    manager.alive()

    assert [listener.recv(100), listener.recv(100)] == [b"READY=1", b"WATCHDOG=1"]
    with pytest.raises(BlockingIOError):
        listener.recv(100)


def test_speaks_to_an_abstract_address() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind("\0" + str(SCRATCH / "abstract"))

        ServiceManager({"NOTIFY_SOCKET": "@" + str(SCRATCH / "abstract")}).ready()

        assert listener.recv(100) == b"READY=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/absent/socket"}])
def test_goes_on_where_nobody_listens(environ: dict[str, str]) -> None:
    manager = ServiceManager(environ)

    manager.ready()
    manager.alive()
