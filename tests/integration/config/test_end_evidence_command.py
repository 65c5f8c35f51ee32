"""The operator's command that ends evidence: it shows, and does only what was said in full."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from artifacts.domain.holds import Reach
from artifacts.models import Project
from tests.factories import legal_holds
from tests.factories.endings import DAYS, NOW, has_ended, long_gone
from tests.factories.shelves import make_project

# The owner's connection, too.
pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "migrator"])
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def project(db: None) -> Project:  # noqa: ARG001 - the tables first
    return make_project()


def test_command_shows_what_it_would_do_and_does_it_when_told(
    project: Project, settings: Settings, capsys: Capture, tmp_path: Path
) -> None:
    settings.EVIDENCE_DAYS = DAYS
    one, held = long_gone(project), long_gone(project, "b")
    legal_holds.hold(project, Reach(artifact=held.tombstone.artifact_id), now=NOW)

    call_command("end_evidence")
    shown = capsys.readouterr().out.splitlines()
    assert not has_ended(one)
    call_command("end_evidence", "--apply", f"--save={tmp_path / 'copy'}")

    size = len(held.attestation.kept_bundle)
    assert shown[0] == "gone for 400 days and more:"
    assert shown[1].split() == ["may", "end", "1", "builds", "1", "bundles", f"{size}", "bytes"]
    [kept_line] = [line for line in shown if "a legal hold" in line]
    assert kept_line.split()[-6:] == ["1", "builds", "1", "bundles", f"{size}", "bytes"]
    assert "ended" in capsys.readouterr().out
    assert has_ended(one)
    assert not has_ended(held)


@pytest.mark.parametrize(
    ("days", "arguments", "said"),
    [
        (None, [], "kept for ever"),
        (None, ["--apply", "--without-copy"], "kept for ever"),
        (DAYS, ["--apply"], "--save DIR or --without-copy"),
        (DAYS, ["--without-copy"], "--apply goes with"),
        (DAYS, ["--apply", "--save=x", "--without-copy"], "not allowed with"),
    ],
)
def test_command_does_nothing_by_half(
    project: Project,
    settings: Settings,
    days: int | None,
    arguments: list[str],
    said: str,
) -> None:
    one = long_gone(project)
    settings.EVIDENCE_DAYS = days

    with pytest.raises(CommandError, match=said):
        call_command("end_evidence", *arguments)

    assert not has_ended(one)


def test_command_says_where_it_could_not_save(
    project: Project, settings: Settings, tmp_path: Path
) -> None:
    settings.EVIDENCE_DAYS = DAYS
    one, file = long_gone(project), tmp_path / "a file"
    file.touch()

    with pytest.raises(CommandError, match=r"evidence-not-saved: .*a file.*Not a directory"):
        call_command("end_evidence", "--apply", f"--save={file / 'copy'}")

    assert not has_ended(one)
