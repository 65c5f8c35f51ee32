"""The list of a plan, a preview or a bulk action …"""

import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.transaction import TransactionManagementError

from artifacts.domain.bulk import Act, BulkActionDiffers
from artifacts.domain.fates import PATIENCE, PATIENCE_WITH_NEWEST_PLAN, Fate, ListForgotten
from artifacts.domain.pacing import FIRST, LEAST
from artifacts.models import (
    BulkAction,
    BulkActionItem,
    BulkRun,
    ListFate,
    Project,
    RetentionPlan,
    RetentionPlanItem,
    RetentionPreview,
    RetentionPreviewItem,
    RetentionRun,
    StoredRetentionPolicy,
    TrashedArtifact,
)
from artifacts.queries.bulk_actions import items_of_bulk_action
from artifacts.queries.fates import Question, forgotten_at
from artifacts.queries.freed import Whereabouts, freed_by
from artifacts.queries.retention import Holder
from artifacts.queries.retention_plans import items_after, plan_that_frees_most
from artifacts.queries.retention_previews import previewed_after
from artifacts.usecases.forget_lists import EVERY, forget_lists, forget_lists_when_due
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.preview_retention import preview_retention
from artifacts.usecases.run_bulk_actions import run_bulk_actions
from artifacts.usecases.set_retention import RetentionChange, set_retention
from artifacts.usecases.start_retention_run import start_retention_run
from artifacts.usecases.use_list import use_list
from tests.factories.actors import administrator
from tests.factories.builds import NOW
from tests.factories.bulk import TODAY, ask, rules, start
from tests.factories.killed import killed_at
from tests.factories.shelf import Kind, put

FILES: Final = 3
HOLDER: Final = Holder.instance()
OLD: Final = {"expire": [{"name": "old", "after_days": 5}]}


@dataclass(frozen=True, slots=True)
class Asked:
    """A kind of question: how one is made of all files, used, and its list read."""

    make: Callable[[Project], Question]
    use: Callable[[Any], object]
    read: Callable[[Any], list[Any]]
    items: type[BulkActionItem | RetentionPlanItem | RetentionPreviewItem]
    parent: str


def plan(_project: Project, at: datetime = TODAY) -> RetentionPlan:
    if not StoredRetentionPolicy.objects.exists():
        rules(OLD)
    return plan_retention(holder=HOLDER, actor=administrator(), now=at)


def apply(made: RetentionPlan) -> RetentionRun:
    return start_retention_run(plan=made, actor=administrator(), now=TODAY)


def preview(_project: Project) -> RetentionPreview:
    return preview_retention(holder=HOLDER, document=OLD, actor=administrator(), now=TODAY)


def save(made: RetentionPreview) -> object:
    change = RetentionChange(made.document, preview=made)
    return set_retention(holder=HOLDER, change=change, actor=administrator(), now=TODAY)


ASKED: Final = {
    "plan": Asked(
        plan, apply, lambda one: items_after(0, plan=one, limit=9), RetentionPlanItem, "plan_id"
    ),
    "preview": Asked(
        preview,
        save,
        lambda one: previewed_after(0, preview=one, effect=None, limit=9),
        RetentionPreviewItem,
        "preview_id",
    ),
    "bulk action": Asked(
        lambda project: ask(project, Act.REMOVE),
        start,
        lambda one: items_of_bulk_action(0, action=one, limit=9),
        BulkActionItem,
        "bulk_action_id",
    ),
}


@pytest.fixture(params=ASKED)
def asked(request: pytest.FixtureRequest) -> Asked:
    return ASKED[request.param]


@pytest.fixture
def files(project: Project) -> Project:
    for number in range(FILES):
        put(project, Kind(path=str(number)), first=NOW)
    return project


def delete_all(items: type[Any]) -> int:
    """What an attacker tries who runs code as the runtime role: the rows that went."""
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {items._meta.db_table}")  # noqa: S608, SLF001 - a table of ours
        return int(cursor.rowcount)


def test_stays_when_it_was_used_whoever_wants_it_gone(files: Project, asked: Asked) -> None:
    question = asked.make(files)
    asked.use(question)

    assert delete_all(asked.items) == 0
    BulkRun.objects.all().delete()
    RetentionRun.objects.all().delete()
    assert delete_all(asked.items) == 0
    with pytest.raises(IntegrityError), transaction.atomic():
        ListFate.objects.create(pk=question.pk, fate=Fate.FORGOTTEN, at=TODAY)
    for statement in ("DELETE FROM list_fate", "UPDATE list_fate SET fate = 'forgotten'"):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            connection.cursor().execute(statement)
    assert delete_all(asked.items) == 0
    assert forget_lists(now=TODAY + timedelta(days=365)) == 0
    assert asked.items.objects.count() == FILES


def test_stays_as_long_as_nobody_has_decided(files: Project, asked: Asked) -> None:
    asked.make(files)

    assert delete_all(asked.items) == 0
    assert asked.items.objects.count() == FILES


def test_is_forgotten_when_nobody_used_it(files: Project, asked: Asked) -> None:
    question, other = asked.make(files), asked.make(files)
    asked.use(other)
    late = TODAY + PATIENCE_WITH_NEWEST_PLAN + timedelta(seconds=1)

    assert forget_lists(now=late) == FILES

    assert forgotten_at(question) == late
    assert len(asked.read(other)) == FILES
    assert not asked.items.objects.filter(**{asked.parent: question.pk}).exists()
    question.refresh_from_db()
    with pytest.raises(ListForgotten) as refused:
        asked.read(question)
    assert refused.value.facts["id"] == question.pk
    assert refused.value.facts["forgotten_at"] == late
    with pytest.raises(ListForgotten):
        asked.use(question)
    assert forget_lists(now=late + EVERY) == 0
    assert forgotten_at(question) == late


def test_keeps_what_it_counted(files: Project) -> None:
    made, shown, action = plan(files), preview(files), ask(files, Act.REMOVE)
    late = TODAY + PATIENCE_WITH_NEWEST_PLAN * 2

    forget_lists(now=late)

    assert RetentionPlan.objects.get().artifacts == made.artifacts == FILES
    assert made.rules.get(outcome="ends").artifacts == FILES
    assert RetentionPreview.objects.get().rules.count() == shown.rules.count() > 0
    assert BulkAction.objects.get(pk=action.pk).expected == {"done": FILES}
    freed = freed_by(made, grace=timedelta(days=1), now=late)
    waiting = freed.waiting[Whereabouts.NOT_REMOVED]
    assert (waiting.artifacts, waiting.physical_bytes) == (FILES, made.physical_bytes)
    assert (freed.artifacts, freed.blobs, freed.size_bytes) == (0, 0, 0)
    assert plan_that_frees_most(HOLDER) is None


@pytest.mark.parametrize("name", ["preview", "bulk action"])
def test_is_kept_for_a_week(files: Project, name: str) -> None:
    question = ASKED[name].make(files)

    assert forget_lists(now=TODAY + PATIENCE) == 0
    assert forgotten_at(question) is None
    assert forget_lists(now=TODAY + PATIENCE + timedelta(seconds=1)) == FILES


def test_of_a_plan_waits_longer_as_long_as_it_is_the_newest(files: Project) -> None:
    newest = plan(files, TODAY)
    others = plan_retention(holder=Holder.of_project(files), actor=administrator(), now=TODAY)

    assert forget_lists(now=TODAY + PATIENCE_WITH_NEWEST_PLAN) == 0
    newer = plan(files, TODAY + timedelta(days=1))
    assert forget_lists(now=TODAY + PATIENCE + timedelta(seconds=1)) == FILES

    assert forgotten_at(newest) is not None
    assert (forgotten_at(others), forgotten_at(newer)) == (None, None)
    assert plan_that_frees_most(HOLDER) in (others, newer)


def test_is_used_by_whoever_comes_before_it_is_forgotten(files: Project) -> None:
    """Both decide about one key: who comes second waits for the first, and gives way."""
    question = ask(files, Act.REMOVE)
    late = TODAY + PATIENCE * 2

    def elsewhere() -> int:
        try:
            return forget_lists(now=late)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            use_list(question=question, now=late)
            forgetting = pool.submit(elsewhere)
            wait_until_somebody_waits()
        assert forgetting.result() == 0

    assert forgotten_at(question) is None
    assert BulkActionItem.objects.count() == FILES
    start(question)
    assert run_bulk_actions(clock=lambda: TODAY) == 1
    assert TrashedArtifact.objects.count() == FILES


def wait_until_somebody_waits() -> None:
    """Until another connection waits for a transaction to end."""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
            )
            if cursor.fetchone()[0]:
                return


def test_is_not_marked_as_used_by_who_was_refused(files: Project) -> None:
    question = ask(files, Act.REMOVE)

    with pytest.raises(BulkActionDiffers):
        start(question, artifacts=7)

    assert not ListFate.objects.exists()
    with pytest.raises(TransactionManagementError, match="joins a transaction"):
        use_list(question=question, now=TODAY)


@pytest.mark.parametrize("point", ["artifacts.lists-forgotten", "artifacts.list-forgetting"])
def test_is_forgotten_to_the_end_by_the_next(project: Project, tmp_path: Path, point: str) -> None:
    for number in range(FIRST + 1):
        put(project, Kind(path=str(number)), first=NOW)
    question = ask(project, Act.YANK)
    late = TODAY + PATIENCE * 2

    died = killed_at(
        point,
        tmp_path / "trigger",
        script="import django, sys\nfrom datetime import datetime\ndjango.setup()\n"
        "from artifacts.usecases.forget_lists import forget_lists\n"
        "forget_lists(now=datetime.fromisoformat(sys.argv[1]))\n",
        argument=late.isoformat(),
    )
    left = BulkActionItem.objects.count()

    assert died == -signal.SIGKILL
    assert left == (1 if point == "artifacts.list-forgetting" else FIRST + 1)
    assert forgotten_at(question) == late
    assert forget_lists(now=late) == left
    assert not BulkActionItem.objects.exists()


def test_goes_in_smaller_batches_when_slow(project: Project) -> None:
    for number in range(FIRST + LEAST + 1):
        put(project, Kind(path=str(number)), first=NOW)
    ask(project, Act.YANK)
    seen: list[int] = []

    def slowly() -> float:
        """Every batch takes a second."""
        seen.append(BulkActionItem.objects.count())
        return float(len(seen))

    forget_lists(now=TODAY + PATIENCE * 2, meter=slowly)

    assert seen == [FIRST + LEAST + 1, LEAST + 1, 1, 0]


def test_is_looked_for_once_a_day(files: Project) -> None:
    ask(files, Act.YANK)
    late = TODAY + PATIENCE * 2

    assert forget_lists_when_due(now=late) == FILES
    ask(files, Act.YANK)
    assert forget_lists_when_due(now=late + EVERY / 2) == 0
    assert forget_lists_when_due(now=late + EVERY) == FILES
