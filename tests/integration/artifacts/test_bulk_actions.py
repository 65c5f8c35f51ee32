"""An act on many artifacts …"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.transaction import TransactionManagementError

from artifacts.domain.bulk import (
    Act,
    BulkActionDiffers,
    BulkActionNotFound,
    BulkRunState,
    MalformedSelection,
    Outcome,
)
from artifacts.domain.holds import Reach
from artifacts.domain.lifecycle import BuildState
from artifacts.domain.pacing import FIRST, LEAST
from artifacts.domain.quota import Limits, Quota
from artifacts.domain.reasons import ReasonMissing
from artifacts.models import (
    Artifact,
    BulkRun,
    DeclaredUse,
    Project,
    Quarantine,
    TrashedArtifact,
    Yank,
)
from artifacts.queries import visible_artifact
from artifacts.queries.bulk_actions import items_of_bulk_action, visible_bulk_action
from artifacts.queries.retention import Holder
from artifacts.queries.trash import trashed_seen_by
from artifacts.usecases.act_on_artifacts import Deed, act_on_artifacts
from artifacts.usecases.apply_retention import WEEK, apply_retention
from artifacts.usecases.ask_bulk_action import ask_bulk_action
from artifacts.usecases.cancel_bulk_action import cancel_bulk_action
from artifacts.usecases.create_project import create_project
from artifacts.usecases.mark_artifacts import mark_artifacts
from artifacts.usecases.place_hold import Holding, place_hold
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.remove_artifact import remove_artifact
from artifacts.usecases.restore_artifact import Restoring, put_back
from artifacts.usecases.run_bulk_actions import run_bulk_actions
from artifacts.usecases.set_quota import set_project_quota
from artifacts.usecases.start_bulk_action import Confirmation, start_bulk_action
from artifacts.usecases.start_retention_run import start_retention_run
from kernel.actor import Actor, Grant, Permission, PermissionMissing
from kernel.audit.models import AuditRecord
from kernel.outbox.models import OutboxEvent
from tests.factories.actors import administrator, owner, reader
from tests.factories.builds import NOW
from tests.factories.bulk import TODAY, WHY, ask, do, rules, start
from tests.factories.shelf import Kind, put


def maintainer(project: Project) -> Actor:
    return Actor("maintainer", frozenset({Grant(Permission.ADMINISTER, project.pk)}))


def paths(model: type[Artifact | TrashedArtifact], project: Project) -> set[str]:
    return set(model.objects.filter(project=project).values_list("path", flat=True))


def test_says_in_numbers_what_would_come_of_them_and_does_nothing(project: Project) -> None:
    rules(
        {
            "keep": [{"name": "docs", "when": {"paths": ["doc/**"]}}],
            "immutable": [{"name": "versions", "when": {"paths": ["v/*"]}}],
        }
    )
    for number in range(3):
        put(project, Kind(path=f"dist/{number}", size_bytes=100), first=NOW)
    put(project, Kind(path="held", held_to=30), first=NOW)
    put(project, Kind(path="used", used_to=30), first=NOW)
    put(project, Kind(path="doc/a"), first=NOW)
    put(project, Kind(path="v/1"), first=NOW)
    put(project, Kind(path="sealed", outcome=BuildState.SEALED), first=NOW)
    put(project, Kind(path="open", outcome=BuildState.OPEN), first=NOW)

    asked = ask(project, Act.REMOVE)

    assert (asked.artifacts, asked.logical_bytes) == (3, 300)
    assert asked.expected == {
        "done": 3,
        "held": 1,
        "in-use": 1,
        "kept": 1,
        "immutable": 1,
        "not-published": 1,
    }
    assert Artifact.objects.count() == 9
    assert run_bulk_actions(clock=lambda: TODAY) == 0


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        ({}, {"dist/old", "dist/new", "doc/old"}),
        ({"paths": ["dist/*"]}, {"dist/old", "dist/new"}),
        ({"refs": ["refs/tags/*"]}, {"doc/old"}),
        ({"stored_before": (NOW + timedelta(days=5)).isoformat()}, {"dist/old", "doc/old"}),
        ({"stored_after": (NOW + timedelta(days=5)).isoformat()}, {"dist/new"}),
        ({"size_from_bytes": 200}, {"doc/old"}),
        ({"idle_since": (NOW + timedelta(days=5)).isoformat()}, {"doc/old"}),
        ({"outcomes": ["refused"]}, {"dist/new"}),
    ],
)
def test_is_asked_of_those_that_are_meant(
    project: Project, selection: Mapping[str, Any], found: set[str]
) -> None:
    put(project, Kind(path="dist/old", downloaded=8), first=NOW)
    put(project, Kind(path="dist/new", stored=9, outcome=BuildState.REFUSED), first=NOW)
    put(project, Kind(path="doc/old", ref="refs/tags/v1", size_bytes=200), first=NOW)
    other = create_project(
        actor=administrator(), organization="acme", slug="other", is_public=False, now=NOW
    )
    put(other, Kind(path="dist/old"), first=NOW)

    asked = ask(project, Act.REMOVE, selection)

    items = items_of_bulk_action(0, action=asked, limit=9)
    assert {one.path for one in items} == found
    assert {one.expected for one in items} == {Outcome.DONE}


@pytest.mark.parametrize(
    ("selection", "place"),
    [
        ([], ""),
        ({"path": "dist"}, "/path"),
        ({"paths": "dist"}, "/paths"),
        ({"paths": ["***"]}, "/paths/0"),
        ({"stored_before": "yesterday"}, "/stored_before"),
        ({"stored_before": "2026-01-31T09:30:00"}, "/stored_before"),
        ({"idle_since": 3}, "/idle_since"),
        ({"plan": "0197d2a4-58c1-7f3e-9c55-3f2b7f0c9d11"}, "/plan"),
    ],
)
def test_refuses_what_selects_nothing(project: Project, selection: Any, place: str) -> None:
    with pytest.raises(MalformedSelection) as refused:
        ask_bulk_action(
            project=project, act=Act.YANK, selection=selection, actor=owner(project), now=TODAY
        )

    assert refused.value.facts["place"] == place
    with pytest.raises(MalformedSelection):
        ask(project, Act.RESTORE, {"plan": "mine"})


def test_is_done_to_what_was_shown_and_counts_what_has_changed_since(project: Project) -> None:
    kept, removed, held, late = (
        put(project, Kind(path=path, size_bytes=100), first=NOW)
        for path in ("kept", "removed", "held", "late")
    )
    asked = ask(project, Act.REMOVE, {"paths": ["*e*"]})
    assert asked.artifacts == 4
    start(asked)
    put(project, Kind(path="newer"), first=NOW)
    remove_artifact(artifact=removed, reason="x", trash=WEEK, actor=owner(project), now=TODAY)
    place_hold(
        project=project,
        holding=Holding(Reach(artifact=held.pk), "case"),
        actor=owner(project),
        now=TODAY,
    )

    assert run_bulk_actions(clock=lambda: TODAY) == 1

    run = BulkRun.objects.get()
    assert (run.state, run.outcomes) == (BulkRunState.DONE, {"done": 2, "gone": 1, "held": 1})
    assert run.done_bytes == 200
    assert paths(Artifact, project) == {"held", "newer"}
    came = {one.path: one.result.outcome for one in items_of_bulk_action(0, action=asked, limit=9)}
    assert came == {"kept": "done", "late": "done", "removed": "gone", "held": "held"}
    assert {
        one.path for one in items_of_bulk_action(0, action=asked, limit=9, outcome=Outcome.HELD)
    } == {"held"}
    gone = trashed_seen_by(owner(project), artifact=kept.pk)
    assert (gone.reason, gone.removed_by) == (WHY, "owner 1")
    assert gone.restorable_until == TODAY + WEEK
    assert visible_artifact(actor=owner(project), artifact=held.pk) == held
    assert trashed_seen_by(owner(project), artifact=late.pk).reason == WHY


def test_is_started_by_whoever_knows_its_project_and_number(project: Project) -> None:
    one, _other = (put(project, Kind(path=path), first=NOW) for path in ("a", "b"))
    asked = ask(project, Act.REMOVE)

    for wrong in ({"project": "acme/widgets"}, {"artifacts": 1}):
        with pytest.raises(BulkActionDiffers):
            start(asked, **wrong)
    with pytest.raises(ReasonMissing):
        start(asked, reason="")
    remove_artifact(artifact=one, reason="x", trash=WEEK, actor=owner(project), now=TODAY)
    with pytest.raises(BulkActionDiffers) as refused:
        start(asked)

    assert refused.value.facts["artifacts"] == 1
    assert refused.value.facts["expected"] == {"done": 1, "gone": 1}
    assert not BulkRun.objects.exists()
    assert not OutboxEvent.objects.filter(name="bulk-action.started").exists()
    assert start(asked, artifacts=1) == start(asked, artifacts=1)
    assert OutboxEvent.objects.filter(name="bulk-action.started").count() == 1


def test_tells_the_trail_of_its_start_and_of_its_end(project: Project) -> None:
    put(project, Kind(path="a", size_bytes=7), first=NOW)

    run = do(project, Act.YANK, {"paths": ["a"]})

    started, ended = (
        AuditRecord.objects.get(action=f"bulk-action.{word}") for word in ("start", "end")
    )
    assert (started.actor, ended.actor) == ("owner 1", "owner 1")
    assert started.facts["selection"] == {"paths": ["a"]}
    assert (started.facts["act"], started.facts["artifacts"]) == ("yank", 1)
    assert started.facts["reason"] == ended.facts["reason"] == WHY
    assert ended.facts["outcomes"] == {"done": 1}
    assert ended.facts["bulk_action"] == str(run.pk)
    assert not AuditRecord.objects.filter(action="artifact.yank").exists()


def test_is_of_those_who_may_do_it_to_one(project: Project) -> None:
    put(project, Kind(), first=NOW)
    removal, yank = ask(project, Act.REMOVE), ask(project, Act.YANK)

    for actor, act in (
        (reader(project), Act.YANK),
        (maintainer(project), Act.REMOVE),
        (maintainer(project), Act.RESTORE),
    ):
        with pytest.raises(PermissionMissing):
            ask_bulk_action(project=project, act=act, selection={}, actor=actor, now=TODAY)
    with pytest.raises(BulkActionNotFound):
        visible_bulk_action(actor=maintainer(project), action=removal.pk)
    with pytest.raises(BulkActionNotFound):
        visible_bulk_action(actor=reader(project), action=yank.pk)
    assert visible_bulk_action(actor=maintainer(project), action=yank.pk) == yank
    confirmed = Confirmation(str(project), 1, WHY)
    for tried in (
        lambda: start_bulk_action(
            action=removal, confirmed=confirmed, actor=maintainer(project), now=TODAY
        ),
        lambda: cancel_bulk_action(action=removal, actor=maintainer(project), now=TODAY),
    ):
        with pytest.raises(PermissionMissing):
            tried()


def test_can_be_cancelled_and_what_was_done_stays(project: Project) -> None:
    for number in range(3):
        put(project, Kind(path=str(number)), first=NOW)
    asked = ask(project, Act.YANK)
    cancel_bulk_action(action=asked, actor=owner(project), now=TODAY)  # too early
    start(asked)
    seconds = iter(range(1000))

    def cancelled_behind_the_first_batch() -> float:
        if Yank.objects.exists():
            cancel_bulk_action(action=asked, actor=owner(project), now=TODAY)
        return float(next(seconds))

    run_bulk_actions(clock=lambda: TODAY, meter=cancelled_behind_the_first_batch)

    run = BulkRun.objects.get()
    assert (run.state, run.outcomes) == (BulkRunState.CANCELLED, {"done": 3})
    assert Yank.objects.count() == 3
    assert AuditRecord.objects.filter(action="bulk-action.cancel").count() == 1
    assert AuditRecord.objects.get(action="bulk-action.end").facts["state"] == "cancelled"


def test_takes_turns_with_others_and_smaller_batches_when_slow(project: Project) -> None:
    for number in range(250):
        put(project, Kind(path=str(number)), first=NOW)
    large = start(ask(project, Act.YANK))
    small = start(ask(project, Act.QUARANTINE, {"paths": ["7"]}))
    seen: list[tuple[int, str]] = []
    seconds = iter(range(1000))

    def slowly() -> float:
        """Every batch takes a second."""
        for run in (large, small):
            run.refresh_from_db()
        seen.append((large.looked_at, small.state))
        return float(next(seconds))

    assert run_bulk_actions(clock=lambda: TODAY, meter=slowly) == 2

    assert list(dict.fromkeys(seen)) == [
        (0, "running"),
        (FIRST, "running"),
        (FIRST + LEAST, "running"),
        *((FIRST + number * LEAST, "done") for number in (1, 2, 3)),
    ]
    assert Yank.objects.count() == 250
    assert Quarantine.objects.count() == 1


def test_gives_back_all_that_a_plan_took(project: Project) -> None:
    for number in range(3):
        put(project, Kind(path=f"dist/{number}"), first=NOW)
    by_hand = put(project, Kind(path="by-hand", stored=19), first=NOW)
    rules({"expire": [{"name": "old", "after_days": 5}]})
    plan = plan_retention(holder=Holder.instance(), actor=administrator(), now=TODAY)
    start_retention_run(plan=plan, actor=administrator(), now=TODAY)
    apply_retention(clock=lambda: TODAY)
    remove_artifact(artifact=by_hand, reason="x", trash=WEEK, actor=owner(project), now=TODAY)

    run = do(project, Act.RESTORE, {"plan": str(plan.pk)})

    assert run.outcomes == {"done": 3}
    assert paths(Artifact, project) == {"dist/0", "dist/1", "dist/2"}
    assert paths(TrashedArtifact, project) == {"by-hand"}
    assert DeclaredUse.objects.filter(ends_at=TODAY + WEEK).count() == 3


def test_gives_back_as_many_as_there_is_room_for(project: Project) -> None:
    for number in range(5):
        one = put(project, Kind(path=str(number)), first=NOW)
        remove_artifact(artifact=one, reason="x", trash=WEEK, actor=owner(project), now=TODAY)
    set_project_quota(
        actor=administrator(),
        organization="acme",
        project="widget",
        quota=Quota(files=Limits(hard=2)),
        now=TODAY,
    )

    run = do(project, Act.RESTORE)

    assert run.outcomes == {"done": 2, "quota": 3}
    assert (Artifact.objects.count(), TrashedArtifact.objects.count()) == (2, 3)


def test_takes_nothing_out_of_the_trash_when_its_window_is_over(project: Project) -> None:
    held, gone = (put(project, Kind(path=path), first=NOW) for path in ("held", "gone"))
    for one in (held, gone):
        remove_artifact(artifact=one, reason="x", trash=WEEK, actor=owner(project), now=TODAY)
    asked = ask(project, Act.RESTORE)
    start(asked)
    place_hold(
        project=project,
        holding=Holding(Reach(artifact=held.pk), "case"),
        actor=owner(project),
        now=TODAY,
    )

    run_bulk_actions(clock=lambda: TODAY + WEEK)

    assert BulkRun.objects.get().outcomes == {"done": 1, "gone": 1}
    assert paths(Artifact, project) == {"held"}


def test_joins_the_transaction_of_its_batch(project: Project) -> None:
    deed = Deed(Act.YANK, reason=WHY, by="somebody", at=TODAY, trash=WEEK)
    for tried in (
        lambda: act_on_artifacts(artifacts=[], project=project, deed=deed),
        lambda: mark_artifacts(mark=Yank, artifacts=[], reason=WHY, by="somebody", now=TODAY),
        lambda: put_back(
            artifacts=[],
            project=project,
            restoring=Restoring(WHY, WEEK),
            by="somebody",
            now=TODAY,
        ),
    ):
        with pytest.raises(TransactionManagementError, match="joins a transaction"):
            tried()
    assert not Yank.objects.filter(artifact__project=project).exists()


def test_is_done_by_one_worker_at_a_time(project: Project) -> None:
    put(project, Kind(), first=NOW)
    start(ask(project, Act.YANK))
    ended: list[int] = []

    def another_comes() -> float:
        with ThreadPoolExecutor(1) as pool:
            ended.append(pool.submit(elsewhere).result())
        return 0.0

    def elsewhere() -> int:
        try:
            return run_bulk_actions(clock=lambda: TODAY)
        finally:
            connection.close()

    assert run_bulk_actions(clock=lambda: TODAY, meter=another_comes) == 1

    assert set(ended) == {0}
    assert BulkRun.objects.get().outcomes == {"done": 1}
