"""Retention by the clock …"""

from datetime import datetime, timedelta

import pytest

from artifacts.domain.retention_limits import RunLimits
from artifacts.models import Artifact, Project, RetentionPlan, RetentionRun, RetentionWait, RunState
from artifacts.queries.retention import Holder
from artifacts.usecases.apply_retention import apply_retention
from artifacts.usecases.schedule_retention import SCHEDULER, schedule_retention_when_due
from artifacts.usecases.set_retention import RetentionChange, set_retention
from artifacts.usecases.start_retention_run import start_retention_run
from kernel.audit.models import AuditRecord
from tests.factories.actors import administrator
from tests.factories.builds import NOW
from tests.factories.shelf import Kind, put

DAY = timedelta(days=1)
TODAY = NOW + timedelta(days=20)
WITHIN = RunLimits(most_percent=50, most_bytes=1000)


@pytest.fixture(autouse=True)
def shelf(project: Project) -> None:
    """One of two has expired today."""
    put(project, Kind(), first=NOW)
    put(project, Kind(stored=19), first=NOW)
    set_retention(
        holder=Holder.of_project(project),
        change=RetentionChange({"expire": [{"name": "nine", "after_days": 9}]}),
        actor=administrator(),
        now=NOW,
    )


def scheduled(now: datetime, limits: RunLimits = WITHIN) -> RetentionPlan | None:
    return schedule_retention_when_due(every=DAY, limits=limits, now=now)


def in_time(limits: RunLimits = WITHIN) -> RetentionPlan:
    scheduled(TODAY - DAY)
    made = scheduled(TODAY, limits)
    assert made is not None
    return made


def test_begins_a_day_after_the_store_did_and_comes_once_a_day() -> None:
    first = scheduled(TODAY - DAY)
    early = scheduled(TODAY - timedelta(seconds=1))
    due = scheduled(TODAY)
    again = scheduled(TODAY + timedelta(hours=1))

    assert (first, early, again) == (None, None, None)
    assert due is not None


def test_takes_away_what_is_within_its_limits() -> None:
    plan = in_time()

    ended = apply_retention(clock=lambda: TODAY)

    assert ended is not None
    assert (ended.plan_id, ended.state, ended.removed_artifacts) == (plan.pk, RunState.DONE, 1)
    assert ended.started_by == plan.made_by == SCHEDULER.name
    assert Artifact.objects.count() == 1
    assert not RetentionWait.objects.exists()


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        (RunLimits(most_percent=49, most_bytes=1000), "artifacts"),
        (RunLimits(most_percent=50, most_bytes=99), "bytes"),
    ],
)
def test_waits_for_a_person_beyond_them(limits: RunLimits, limit: str) -> None:
    plan = in_time(limits)

    untouched = apply_retention(clock=lambda: TODAY)

    assert untouched is None
    assert Artifact.objects.count() == 2
    assert [one["limit"] for one in RetentionWait.objects.get(plan=plan).exceeded] == [limit]
    told = AuditRecord.objects.get(action="retention.wait")
    assert told.facts["plan"] == str(plan.pk)
    start_retention_run(plan=plan, actor=administrator(), now=TODAY)
    approved = apply_retention(clock=lambda: TODAY)
    assert approved is not None
    assert (approved.removed_artifacts, approved.started_by) == (1, administrator().name)


def test_runs_nothing_where_nothing_goes(project: Project) -> None:
    set_retention(
        holder=Holder.of_project(project),
        change=RetentionChange({}),
        actor=administrator(),
        now=NOW,
    )

    assert in_time().artifacts == 0
    assert not RetentionRun.objects.exists()


def test_leaves_a_run_that_is_under_way_alone() -> None:
    plan = in_time()

    assert scheduled(TODAY + DAY) is None
    assert RetentionPlan.objects.get() == plan
