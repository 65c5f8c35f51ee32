"""It works as it is written: every command of the pages runs against a running store.

What a page shows below a command is compared with what the command says. Which blocks these are,
and what happens to the others, is in tests/factories/pages.py.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from config.embedded.running import Running, running
from tests.factories.doc_session import bash, failures
from tests.factories.pages import PAGES, ROOT, Step, Treatment, steps_of

SESSIONS: Final = [page for page in PAGES if steps_of(page, Treatment.SESSION)]
TOOLS: Final = f"{os.environ['PATH']}:{ROOT / '.cache' / 'bin'}"
SECONDS: Final = 480


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


@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.parametrize("page", SESSIONS, ids=lambda page: str(page.relative_to(ROOT)))
def test_runs_as_it_is_written(
    page: Path, instance: Running, programs: Path, tmp_path: Path
) -> None:
    steps = steps_of(page, Treatment.SESSION)
    if _needs_cosign(steps) and not shutil.which("cosign", path=TOOLS):
        pytest.skip("cosign is not on PATH")
    # Where the reader stands: in the checkout that the instance was started from.
    (tmp_path / ".strongroom").symlink_to(instance.home.data)
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    here = bash(folder=tmp_path, environment=_environment(tmp_path, programs), timeout=SECONDS)

    problems = failures(steps, here, as_shown={"http://127.0.0.1:8420": instance.url})

    assert problems == [], "\n\n".join(problems)


def _needs_cosign(steps: list[Step]) -> bool:
    return any("cosign " in step.command for step in steps)


def _environment(home: Path, programs: Path) -> dict[str, str]:
    """Of this machine PATH alone; everything else the page itself has to say."""
    return {"PATH": f"{programs}:{TOOLS}", "HOME": str(home), "LANG": "C.UTF-8"}
