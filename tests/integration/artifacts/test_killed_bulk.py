"""A bulk action that is killed with SIGKILL: the next worker finishes it, and doubles nothing."""

import signal
from pathlib import Path
from typing import Final

import pytest

from artifacts.domain.bulk import Act, BulkRunState
from artifacts.models import (
    Artifact,
    BulkActionOutcome,
    DeclaredUse,
    Project,
    TrashedArtifact,
)
from artifacts.usecases.run_bulk_actions import run_bulk_actions
from kernel.audit.models import AuditRecord
from tests.factories.builds import NOW
from tests.factories.bulk import TODAY, ask, start
from tests.factories.killed import killed_at
from tests.factories.shelf import Kind, put

WORKER: Final = """
import django, sys
from datetime import datetime
django.setup()
from artifacts.usecases.run_bulk_actions import run_bulk_actions
run_bulk_actions(clock=lambda: datetime.fromisoformat(sys.argv[1]))
"""


@pytest.mark.parametrize("point", ["artifacts.bulk-acting", "artifacts.bulk-acted"])
@pytest.mark.parametrize("act", [Act.REMOVE, Act.RESTORE])
def test_is_finished_by_the_next(project: Project, tmp_path: Path, act: Act, point: str) -> None:
    for number in range(3):
        put(project, Kind(path=str(number)), first=NOW)
    if act is Act.RESTORE:
        start(ask(project, Act.REMOVE))
        run_bulk_actions(clock=lambda: TODAY)
    run = start(ask(project, act))

    died = killed_at(point, tmp_path / "trigger", script=WORKER, argument=TODAY.isoformat())
    ended = run_bulk_actions(clock=lambda: TODAY)

    run.refresh_from_db()
    assert (died, ended) == (-signal.SIGKILL, 1)
    assert (run.state, run.outcomes) == (BulkRunState.DONE, {"done": 3})
    of_it = BulkActionOutcome.objects.filter(item__bulk_action=run.pk)
    assert [one.outcome for one in of_it] == ["done"] * 3
    there, away = (Artifact, TrashedArtifact) if act is Act.RESTORE else (TrashedArtifact, Artifact)
    assert (there.objects.count(), away.objects.count()) == (3, 0)
    assert DeclaredUse.objects.count() == (3 if act is Act.RESTORE else 0)
    told = AuditRecord.objects.filter(action="bulk-action.end", facts__bulk_action=str(run.pk))
    assert told.count() == 1
