"""The delivered units start what `make up` starts, with the same options."""

import re
import shlex
from pathlib import Path
from typing import Final

import pytest

from config.embedded.credentials import load_credentials
from config.embedded.environment import Instance
from config.embedded.home import open_home
from config.embedded.ports import ANY, choose_ports
from config.embedded.programs import store
from config.setting import User
from config.settings_reference import SETTINGS

UNITS: Final = Path(__file__).resolve().parents[3] / "deploy" / "systemd"
PYTHON: Final = "/opt/strongroom/.venv/bin/python"


def _unit_of(program: str) -> Path:
    return UNITS / (
        "strongroom-worker@.service" if program == "worker" else f"strongroom-{program}.service"
    )


@pytest.fixture
def commands(tmp_path: Path) -> dict[str, list[str]]:
    """What `make up` runs, without the interpreter."""
    home = open_home(tmp_path / "data")
    home.secrets.mkdir()
    ports = choose_ports(home.ports, wanted=ANY)
    instance = Instance(home, ports, load_credentials(home.secrets), marker="test:1")
    return {program.name: list(program.command[1:]) for program in store(instance)}


def test_has_a_unit_for_every_process_that_keeps_running(commands: dict[str, list[str]]) -> None:
    wanted = re.findall(
        r"strongroom-(\w+)(?:@1)?\.service", (UNITS / "strongroom.target").read_text()
    )

    assert {name for name in wanted if name != "migrate"} == commands.keys()


@pytest.mark.parametrize("program", ["web", "worker", "relay", "sealer", "beat"])
def test_starts_each_with_the_same_options(program: str, commands: dict[str, list[str]]) -> None:
    (line,) = re.findall(r"^ExecStart=(.*)$", _unit_of(program).read_text(), re.MULTILINE)
    interpreter, *options = shlex.split(line)

    # Each installation has a port of its own.
    ported = [re.sub(r"^--port=\d+$", "--port=", option) for option in options]
    assert interpreter == PYTHON
    assert ported == [re.sub(r"^--port=\d+$", "--port=", option) for option in commands[program]]


def test_names_only_settings_that_there_are() -> None:
    text = "".join(path.read_text() for path in UNITS.rglob("*.*") if path.is_file())
    known = {setting.variable for setting in SETTINGS} | {
        "STRONGROOM_ENV_FILE",
        "STRONGROOM_SIGSTORE_",
    }

    assert set(re.findall(r"STRONGROOM_[A-Z_]+", text)) <= known


def test_gives_the_attestors_key_to_the_worker_and_to_its_commands_alone() -> None:
    with_key = {
        path.name
        for path in UNITS.rglob("*.*")
        if path.is_file() and "LoadCredential=attestor.key" in path.read_text()
    }

    assert with_key == {"strongroom-worker@.service", "strongroom-attestor@.service"}
    assert {s.user for s in SETTINGS if s.name == "ATTESTOR_KEY_FILE"} == {User.WORKER}
