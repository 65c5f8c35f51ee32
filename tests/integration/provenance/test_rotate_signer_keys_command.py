"""The operator's command: all or nothing when it is killed, and it says how things are."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from django.core.management import CommandError, call_command

from provenance.adapters.embedded.trust_root import trusted_root
from provenance.queries import signer_generations
from tests.factories.embedded_store import EmbeddedStore, failed_step, published

pytestmark = pytest.mark.django_db

REPOSITORY: Final = Path(__file__).resolve().parents[3]


@pytest.fixture
def store(tmp_path: Path) -> EmbeddedStore:
    return EmbeddedStore.create(tmp_path)


STEPS: Final = {
    "announce": ["announce"],
    "adopt": ["adopt"],
    "end": ["end", "1", "--until=now"],
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", STEPS)
def test_changes_all_or_nothing_when_it_is_killed(
    store: EmbeddedStore, tmp_path: Path, step: str, settings: pytest.FixtureRequest
) -> None:
    settings.ATTESTOR_KEY_FILE = store.key_file  # type: ignore[attr-defined]  # pytest-django's own object
    if step == "adopt":
        store.announce()
    before = (published(), trusted_root(), signer_generations())
    trigger = tmp_path / "trigger"
    trigger.touch()

    killed = commanded(store, STEPS[step], faults=f"provenance.keys-changed={trigger}")
    after = (published(), trusted_root(), signer_generations())
    still_signs = failed_step(store.sign())
    call_command("rotate_signer_keys", *STEPS[step])

    assert killed == -signal.SIGKILL
    assert after == before
    assert still_signs is None
    assert published() == trusted_root() != before[0]
    assert failed_step(store.sign()) is None


def commanded(store: EmbeddedStore, arguments: list[str], *, faults: str) -> int:
    """Run the command in a process of its own; its status."""
    finished = subprocess.run(
        [sys.executable, "manage.py", "rotate_signer_keys", *arguments],
        cwd=REPOSITORY,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "STRONGROOM_ATTESTOR_KEY_FILE": str(store.key_file),
            "STRONGROOM_FAULT_POINTS": faults,
        },
        check=False,
        timeout=120,
        capture_output=True,
    )
    return finished.returncode


def test_shows_each_generation(
    store: EmbeddedStore, settings: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.ATTESTOR_KEY_FILE = store.key_file  # type: ignore[attr-defined]  # pytest-django's own object
    store.sign()
    call_command("rotate_signer_keys", "announce", "--days=3")
    call_command("rotate_signer_keys", "end", "1", "--never")
    capsys.readouterr()

    call_command("rotate_signer_keys", "show")

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "generation 1: retired; 1 statements; not believed"
    assert lines[1].startswith("generation 2: signs; 0 statements; believed from ")
    assert len(lines) == 2


@pytest.mark.parametrize("moment", ["yesterday", "2026-11-20T10:00:00"])
def test_wants_a_moment_with_its_time_zone(store: EmbeddedStore, moment: str) -> None:
    with pytest.raises(CommandError, match="--until"):
        call_command("rotate_signer_keys", "end", "1", f"--until={moment}")

    assert signer_generations()[0].is_used
    assert failed_step(store.sign()) is None
