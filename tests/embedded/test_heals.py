"""It heals: whichever process is killed, the chain works again."""

import os
import signal
import urllib.error
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from config.embedded.running import Running, running
from tests.embedded.family import (
    KINDS,
    eventually,
    find,
    is_ready,
    members,
    upload,
    upload_and_publish,
)


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """In a folder with a space in its name: no program may mind."""
    with running(tmp_path_factory.mktemp("with a space") / "the data") as started:
        yield started


def test_publishes_an_upload(instance: Running) -> None:
    artifact = upload_and_publish(instance, "first.txt")

    assert artifact["path"] == "first.txt"


def test_gives_the_attestors_key_to_the_worker_alone(instance: Running) -> None:
    holders = {
        process.pid
        for process in members(instance.home)
        if "STRONGROOM_ATTESTOR_KEY_FILE" in process.environ()
    }

    workers = find(instance.home, "worker") + find(instance.home, "a pool child of the worker")
    assert holders == {process.pid for process in workers}


def test_gives_no_running_process_the_migrators_password(instance: Running) -> None:
    password = (instance.home.secrets / "database-migrator").read_text()

    told = [process for process in members(instance.home) if password in str(process.environ())]

    assert told == []


def test_shows_no_secret_on_a_command_line(instance: Running) -> None:
    secrets = {file.read_text().strip() for file in instance.home.secrets.iterdir()}

    # What has just ended has none.
    lines = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    shown = " ".join(" ".join(line) for line in lines)

    assert [secret for secret in secrets if secret in shown] == []


def test_listens_on_loopback_only(instance: Running) -> None:
    addresses = set()
    for process in members(instance.home):
        with suppress(psutil.NoSuchProcess):  # a backend that has just ended
            addresses |= {
                connection.laddr[0]
                for connection in process.net_connections("inet")
                if connection.status == psutil.CONN_LISTEN
            }

    assert addresses == {"127.0.0.1"}


def test_keeps_its_files_private(instance: Running) -> None:
    open_ones = [
        path
        for path in [instance.home.data, *instance.home.data.rglob("*")]
        if not path.is_symlink() and path.stat().st_mode & 0o077
    ]

    assert open_ones == []


@pytest.mark.parametrize("kind", KINDS)
def test_heals_after_kill_nine_of(kind: str, instance: Running) -> None:
    before = {process.pid for process in members(instance.home)}
    victim = min(process.pid for process in find(instance.home, kind))

    os.kill(victim, signal.SIGKILL)

    eventually(lambda: _is_replaced(instance, kind, before), f"another process instead of {kind}")
    eventually(lambda: is_ready(instance), "the store is ready")
    eventually(lambda: _takes_an_upload(instance, f"before-{kind}".replace(" ", "-")), "an upload")
    upload_and_publish(instance, f"after-{kind}.txt".replace(" ", "-"))
    assert not psutil.pid_exists(victim)
    assert instance.supervisor.poll() is None


def _is_replaced(instance: Running, kind: str, before: set[int]) -> bool:
    now = {process.pid for process in find(instance.home, kind)}
    if kind == "a postgres backend":  # all of them start anew, when somebody needs them
        return not now & before
    return bool(now - before)


def _takes_an_upload(instance: Running, name: str) -> bool:
    """A connection that the killed process held may cost one request."""
    try:
        upload(instance, name)
    except (OSError, urllib.error.HTTPError):
        return False
    return True


def test_leaves_no_stranger_in_the_family(instance: Running) -> None:
    """Every process of the instance descends from its supervisor, also after all the killing."""
    found = members(instance.home)
    family = psutil.Process(instance.supervisor.pid).children(recursive=True)

    assert [one for one in found if one not in family and one.is_running()] == []
