"""It knows its own data folder, keeps its address, and says who must change what."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded.credentials import load_credentials
from config.embedded.environment import Instance, Role, environment_of
from config.embedded.home import AlreadyRunning, CannotStart, locked, make_folders, open_home
from config.embedded.ports import ANY, LOOPBACK, choose_ports


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server((LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    home = open_home(tmp_path / "data")
    home.secrets.mkdir()
    return Instance(
        home=home,
        ports=choose_ports(home.ports, wanted=ANY),
        credentials=load_credentials(home.secrets),
        marker="test:1",
        more={"STRONGROOM_LOG_LEVEL": "DEBUG"},
    )


def test_refuses_a_folder_of_somebody_elses_files(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()

    with pytest.raises(CannotStart, match="none of them is an instance's"):
        open_home(tmp_path)


def test_opens_a_folder_that_is_its_own(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    with locked(home):
        (tmp_path / "ports.json").touch()

    assert open_home(tmp_path) == home


def test_names_who_holds_the_lock(tmp_path: Path) -> None:
    home = open_home(tmp_path)

    with locked(home) as lock:
        lock.write_text('{"pid": 4711, "url": "http://127.0.0.1:8420"}')
        with (
            pytest.raises(AlreadyRunning, match=r"process 4711, http://127\.0\.0\.1:8420"),
            locked(home),
        ):
            pass


def test_keeps_sockets_in_a_short_private_folder_whatever_the_data_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))

    home = open_home(deep / ("e" * 100))

    assert len(str(home.database_sockets / ".s.PGSQL.5432.lock")) <= 107


def test_refuses_a_socket_folder_that_another_user_has_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    home = open_home(tmp_path / "data")
    make_folders(home)
    assert home.run.stat().st_mode & 0o777 == 0o700
    home.run.rmdir()
    home.run.symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()

    with pytest.raises(CannotStart, match="not this user's own folder"):
        make_folders(home)


def test_keeps_the_port_that_was_chosen_first(tmp_path: Path) -> None:
    file = tmp_path / "ports.json"

    chosen = choose_ports(file, wanted=ANY)

    assert choose_ports(file, wanted=None) == chosen
    assert choose_ports(file, wanted=ANY) == chosen
    assert choose_ports(file, wanted=chosen.web) == chosen
    with pytest.raises(CannotStart, match="its address is part of every builder id"):
        choose_ports(file, wanted=chosen.web + 1)


def test_says_who_holds_a_port_at_the_first_start(tmp_path: Path, busy_port: int) -> None:
    with pytest.raises(
        CannotStart, match=rf"port {busy_port} is in use .*another one can be chosen"
    ):
        choose_ports(tmp_path / "ports.json", wanted=busy_port)


def test_does_not_move_when_its_port_is_taken_later(tmp_path: Path, busy_port: int) -> None:
    file = tmp_path / "ports.json"
    file.write_text(f'{{"web": {busy_port}, "issuer": {busy_port}}}')

    with pytest.raises(CannotStart, match="does not move: end that program"):
        choose_ports(file, wanted=None)


def test_makes_each_secret_once(tmp_path: Path) -> None:
    first = load_credentials(tmp_path)

    assert load_credentials(tmp_path) == first
    assert len({file.read_text() for file in tmp_path.iterdir()}) == len(list(tmp_path.iterdir()))
    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.iterdir())
    assert first.secret_key not in repr(first)


@pytest.mark.parametrize(
    ("role", "has"),
    [
        (Role.TOOL, set()),
        (Role.STORE, {"SECRET_KEY", "DATABASE_URL", "LOG_LEVEL"}),
        (Role.ATTESTOR, {"SECRET_KEY", "DATABASE_URL", "LOG_LEVEL", "ATTESTOR_KEY_FILE"}),
        (Role.SETUP, {"SECRET_KEY", "DATABASE_URL", "ATTESTOR_KEY_FILE"}),
        (Role.MIGRATOR, {"SECRET_KEY", "DATABASE_URL", "MIGRATOR_DATABASE_URL"}),
    ],
)
def test_tells_each_role_what_it_needs_and_no_more(
    role: Role, has: set[str], instance: Instance
) -> None:
    secret = {
        "SECRET_KEY",
        "DATABASE_URL",
        "MIGRATOR_DATABASE_URL",
        "ATTESTOR_KEY_FILE",
        "LOG_LEVEL",
    }

    told = {name.removeprefix("STRONGROOM_") for name in environment_of(instance, role)}

    assert told & secret == has


def test_inherits_nothing_from_the_terminal(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STRONGROOM_PROFILE", "production")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-for-children")

    told = environment_of(instance, Role.STORE)

    assert told["STRONGROOM_PROFILE"] == "embedded"
    assert "AWS_SECRET_ACCESS_KEY" not in told
