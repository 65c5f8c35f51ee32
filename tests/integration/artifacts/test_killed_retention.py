"""A retention run that is killed with SIGKILL: the next one finishes it, and doubles nothing."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest

from artifacts.models import Artifact, Project, RunState, TrashedArtifact
from artifacts.queries.retention import Holder
from artifacts.usecases.apply_retention import apply_retention
from artifacts.usecases.create_project import create_project
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.set_retention import RetentionChange, set_retention
from artifacts.usecases.start_retention_run import start_retention_run
from tests.factories.actors import administrator
from tests.factories.builds import NOW
from tests.factories.killed import killed_at
from tests.factories.shelf import Kind, put

TODAY = NOW + timedelta(days=20)
WORKER = """
import django, sys
from datetime import datetime
django.setup()
from artifacts.usecases.apply_retention import apply_retention
apply_retention(clock=lambda: datetime.fromisoformat(sys.argv[1]))
"""


@pytest.mark.parametrize("point", ["artifacts.retiring", "artifacts.retired"])
def test_is_finished_by_the_next(project: Project, tmp_path: Path, point: str) -> None:
    other = create_project(
        actor=administrator(), organization="acme", slug="other", is_public=False, now=NOW
    )
    going = [put(one, Kind(), first=NOW) for one in (project, other, project)]
    kept = put(project, Kind(stored=19), first=NOW)
    set_retention(
        holder=Holder.instance(),
        change=RetentionChange({"expire": [{"name": "nine", "after_days": 9}]}),
        actor=administrator(),
        now=NOW,
    )
    plan = plan_retention(holder=Holder.instance(), actor=administrator(), now=TODAY)
    start_retention_run(plan=plan, actor=administrator(), now=TODAY)

    died = killed_at(point, tmp_path / "trigger", script=WORKER, argument=TODAY.isoformat())
    ended = apply_retention(clock=lambda: TODAY)

    assert died == -signal.SIGKILL
    assert ended is not None
    assert (ended.state, ended.removed_artifacts, ended.spared_artifacts) == (RunState.DONE, 3, 0)
    assert ended.removed_bytes == sum(one.blob.size_bytes for one in going)
    assert list(Artifact.objects.all()) == [kept]
    buried = set(TrashedArtifact.objects.values_list("pk", flat=True))
    assert buried == {one.pk for one in going}
