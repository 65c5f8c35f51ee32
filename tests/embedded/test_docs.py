"""It works as it is written: every command of the quick starts runs against a running store.

A ```console block is a piece of one session a page: `$ ` begins a command, indented lines belong
to it, other lines show output. Blocks marked `console production` need a real installation.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

from config.embedded.running import Running, running

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = [
    *sorted((ROOT / "docs").glob("quickstart-*.md")),
    ROOT / "docs" / "client.md",
    ROOT / "docs" / "verify.md",
    ROOT / "README.md",
]
TOOLS: Final = f"{os.environ['PATH']}:{ROOT / '.cache' / 'bin'}"
BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND: Final = re.compile(r"^\$ (.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)
# CI itself runs `make check test`; `make demo` and `make up` have tests of their own.
ELSEWHERE: Final = "make "
SECONDS: Final = 120


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("docs") / "data") as started:
        yield started


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `strongroom`, as `make` leaves it in an environment inside of the checkout."""
    checkout = tmp_path_factory.mktemp("checkout")
    binaries = checkout / ".venv" / "bin"
    binaries.mkdir(parents=True)
    command = binaries / "strongroom"
    command.write_bytes((ROOT / "client" / "checkout.sh").read_bytes())
    command.chmod(0o755)
    python = binaries / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    for package in ("artifacts", "client", "kernel", "provenance"):
        (checkout / package).symlink_to(ROOT / package)
    return binaries


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_runs_as_it_is_written(
    page: Path, instance: Running, programs: Path, tmp_path: Path
) -> None:
    commands = commands_of(page.read_text())
    if any("cosign " in command for command in commands) and not shutil.which("cosign", path=TOOLS):
        pytest.skip("cosign is not on PATH")

    finished = subprocess.run(
        ["bash", "-c", session(commands)],
        cwd=tmp_path,
        env=environment(instance, home=tmp_path, programs=programs),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert finished.returncode == 0, finished.stdout[-4000:]


def test_finds_commands_and_nothing_else() -> None:
    page = (
        "```console\n$ one \\\n    two\nshown\n$ three\n```\n```console production\n$ four\n```\n"
    )

    assert commands_of(page) == ["one \\\n    two", "three"]


def test_stops_at_the_first_command_that_fails(tmp_path: Path) -> None:
    failing = session(["touch before", "false", "touch after"])

    finished = subprocess.run(["bash", "-c", failing], cwd=tmp_path, check=False, timeout=SECONDS)

    assert finished.returncode != 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["before"]


def commands_of(page: str) -> list[str]:
    """The commands of a page, in order, without those that are tried elsewhere."""
    found = [command for block in BLOCK.findall(page) for command in COMMAND.findall(block)]
    return [command for command in found if not command.startswith(ELSEWHERE)]


def session(commands: Sequence[str]) -> str:
    """One shell that runs the commands, and ends with the first that fails (`set -e` skips `!`)."""
    checked = [f"{command}\n__check $?" for command in commands]
    check = '__check() { [ "$1" = 0 ] || { echo "the last command failed: $1"; exit 1; }; }'
    return "\n".join(["set -o pipefail -o verbose", check, *checked])


def environment(instance: Running, *, home: Path, programs: Path) -> dict[str, str]:
    """What each page tells its reader to set; nothing else of this machine's but PATH."""
    return {
        "PATH": f"{programs}:{TOOLS}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "STORE": instance.url,
        "ISSUER": instance.report.issuer_url,
        "TOKEN": instance.upload_token,
        "ADMIN_TOKEN": instance.admin_token,
    }
