"""It starts once, stops whole, and survives being killed."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from config.embedded.home import CannotStart
from config.embedded.ports import LOOPBACK
from config.embedded.running import Running, running, stop
from tests.embedded.family import eventually, fetch, is_published, members, upload_and_publish

ORPHAN_SECONDS = 60


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def instance(data: Path) -> Iterator[Running]:
    with running(data) as started:
        yield started


def test_refuses_a_second_start_on_the_same_data(instance: Running, data: Path) -> None:
    before = {process.pid for process in members(instance.home)}

    with pytest.raises(CannotStart) as refusal, running(data):
        pass

    assert str(instance.supervisor.pid) in str(refusal.value)
    assert instance.url in str(refusal.value)
    assert before <= {process.pid for process in members(instance.home)}
    # SIGTERM stops everything, and says so by its status.
    assert stop(instance.supervisor) == 0
    assert members(instance.home) == []
    assert not instance.home.run.exists()
    assert not _anybody_listens(instance)


def test_leaves_no_orphan_when_the_supervisor_is_killed(data: Path) -> None:
    with running(data) as first:
        password = first.report.one_time_password
        artifact = upload_and_publish(first, "kept.txt")
        family = psutil.Process(first.supervisor.pid).children(recursive=True)
        first.supervisor.send_signal(signal.SIGKILL)
        first.supervisor.wait()
        eventually(
            lambda: not members(first.home) and not any(map(_lives, family)),
            "no process is left",
            seconds=ORPHAN_SECONDS,
        )

    with running(data) as second:
        assert second.url == first.url
        assert password is not None
        assert second.report.one_time_password is None
        assert is_published(second, artifact)
        assert fetch(second, artifact["urls"]["download"]) == b"the bytes of kept.txt"


def test_starts_at_once_after_everything_was_killed(data: Path) -> None:
    """The machine's own death: no guard has cleaned up, and every lock and socket is stale."""
    with running(data) as first:
        family = psutil.Process(first.supervisor.pid).children(recursive=True)
        guards = [one for one in family if "config.embedded.guard" in _command(one)]
        for process in [*guards, psutil.Process(first.supervisor.pid), *family]:
            _kill(process)
        first.supervisor.wait()

    with running(data) as second:
        upload_and_publish(second, "after.txt")


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:  # a zombie too
        return []


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _anybody_listens(instance: Running) -> bool:
    for url in (instance.url, instance.report.issuer_url):
        with socket.socket() as probe:
            if probe.connect_ex((LOOPBACK, int(url.rpartition(":")[2]))) == 0:
                return True
    return False
