"""A retention plan …"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.retention import Attached, Decision, Level, decide
from artifacts.errors import (
    ArtifactExpired,
    PathTaken,
    RetentionPlanStale,
    RetentionRunUnderWay,
)
from artifacts.models import (
    Artifact,
    Project,
    RetentionPlan,
    RetentionPlanItem,
    RunState,
    TrashedArtifact,
    Upload,
)
from artifacts.queries import Place, visible_artifact
from artifacts.queries.retention import Holder
from artifacts.usecases.apply_retention import apply_retention
from artifacts.usecases.cancel_retention_run import cancel_retention_run
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.publish_file import Incoming, publish_file
from artifacts.usecases.set_retention import RetentionChange, set_retention
from artifacts.usecases.start_retention_run import start_retention_run
from kernel.actor import Actor, PermissionMissing
from tests.factories.actors import administrator, reader, uploader
from tests.factories.builds import NOW
from tests.factories.crowd import CONDITIONS, Crowd, assemble, facts, freed_bytes, neighbour
from tests.factories.retention_policies import attach, policies
from tests.factories.shelf import Kind, download, put
from tests.fakes.blob_store import MemoryBlobStore

TODAY = NOW + timedelta(days=20)


@pytest.fixture
def other(project: Project) -> Project:
    return neighbour(project, now=NOW)


@pytest.fixture
def crowd(project: Project, other: Project) -> Crowd:  # noqa: ARG001 - it lives there, too
    return assemble(project, first=NOW)


def naively(crowd: Crowd, attached: Sequence[Attached]) -> dict[UUID, Decision]:
    """What goes, by the pure rule, one after the other."""
    ended = (BuildState.PUBLISHED, BuildState.REFUSED)
    decided = {
        one.pk: decide(facts(one, kind, crowd, NOW), attached, now=TODAY)
        for one, kind in crowd
        if kind.outcome in ended
    }
    return {one: said for one, said in decided.items() if said.is_expired(now=TODAY)}


def make(holder: Holder | None = None, actor: Actor | None = None) -> RetentionPlan:
    return plan_retention(
        holder=holder or Holder.instance(), actor=actor or administrator(), now=TODAY
    )


def items(plan: RetentionPlan) -> dict[UUID, RetentionPlanItem]:
    return {one.artifact_id: one for one in RetentionPlanItem.objects.filter(plan=plan)}


def test_agrees_with_a_naive_reading_of_the_rules(crowd: Crowd, project: Project) -> None:
    mine = [(one, kind) for one, kind in crowd if one.project_id == project.pk]

    @settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @given(policies(CONDITIONS))
    def agrees(attached: list[Attached]) -> None:
        clear_policies()
        held = attach(attached, project)

        plan = make(Holder.of_project(project))

        expected, found = naively(mine, held), items(plan)
        assert {one: item.ends_at for one, item in found.items()} == {
            one: said.expires_at for one, said in expected.items()
        }
        assert plan.physical_bytes == freed_bytes(crowd, list(expected))
        assert plan.physical_bytes == sum(one.physical_bytes for one in found.values())
        assert plan.logical_bytes == sum(one.size_bytes for one in found.values())
        ended = sum(kind.outcome is not BuildState.SEALED for _one, kind in mine)
        assert type(plan.logical_bytes) is type(plan.physical_bytes) is int  # as JSON has them
        assert plan.looked_at == ended == sum(one.artifacts for one in plan.rules.all())

    agrees()


def clear_policies() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE retention_policy")


AFTER_9 = {"expire": [{"name": "nine", "after_days": 9}]}
RULES: list[dict[str, Any]] = [
    AFTER_9,
    {"expire": [{"name": "surplus", "beyond_newest": 2}]},
    {"keep": [{"name": "last", "newest": 1}], **AFTER_9},
    {"keep": [{"name": "used", "downloaded_within_days": 15}], **AFTER_9},
]


def demand(document: object, holder: Holder | None = None) -> None:
    set_retention(
        holder=holder or Holder.instance(),
        change=RetentionChange(document),
        actor=administrator(),
        now=TODAY,
    )


def run(plan: RetentionPlan) -> Any:
    start_retention_run(plan=plan, actor=administrator(), now=TODAY)
    return apply_retention(clock=lambda: TODAY)


@pytest.mark.parametrize("document", RULES, ids=lambda document: str(list(document)))
@pytest.mark.usefixtures("crowd")
def test_is_what_is_applied(document: dict[str, Any]) -> None:
    demand(document)
    plan = make()
    planned, before = items(plan), set(Artifact.objects.values_list("pk", flat=True))
    assert planned

    ended = run(plan)

    assert ended.state == RunState.DONE
    assert (ended.removed_artifacts, ended.removed_bytes) == (plan.artifacts, plan.logical_bytes)
    assert ended.spared_artifacts == 0
    assert set(Artifact.objects.values_list("pk", flat=True)) == before - set(planned)
    buried = {one.artifact_id: one for one in TrashedArtifact.objects.all()}
    assert buried.keys() == planned.keys()
    assert {one.rule for one in buried.values()} <= {"nine", "surplus", "asked-by-job"}
    assert all(one.expired_at == planned[pk].ends_at for pk, one in buried.items())


def test_is_made_by_owners_alone(project: Project) -> None:
    with pytest.raises(PermissionMissing):
        make(Holder.of_project(project), uploader(project))


@pytest.mark.usefixtures("crowd")
def test_keeps_to_what_is_below_its_holder(other: Project) -> None:
    demand(AFTER_9)

    plan = make(Holder.of_project(other))

    assert {one.project_id for one in items(plan).values()} == {other.pk}
    assert plan.artifacts < make().artifacts


@pytest.mark.usefixtures("crowd")
def test_takes_each_project_by_its_own_rules(other: Project) -> None:
    demand(AFTER_9)
    demand({"keep": [{"name": "all"}]}, Holder.of_project(other))

    plan = make()

    assert other.pk not in {one.project_id for one in items(plan).values()}
    kept = plan.rules.get(outcome="keeps", scope_id=other.pk)
    assert (kept.name, kept.level, kept.scope_id) == ("all", Level.PROJECT, other.pk)


@pytest.fixture
def planned(crowd: Crowd) -> RetentionPlan:  # noqa: ARG001 - its rows
    demand(AFTER_9)
    return make()


def what_changed(refusal: RetentionPlanStale) -> dict[str, Any]:
    """The only change."""
    changes = refusal.facts["changed"]
    assert isinstance(changes, list)
    [change] = changes
    assert isinstance(change, dict)
    return change


def test_is_refused_when_a_policy_has_changed(planned: RetentionPlan) -> None:
    demand({})

    with pytest.raises(RetentionPlanStale) as refused:
        run(planned)

    changed = what_changed(refused.value)
    assert (changed["what"], changed["level"], changed["version"]) == (
        "retention-policy",
        "instance",
        2,
    )


def test_is_refused_when_another_was_applied_meanwhile(planned: RetentionPlan) -> None:
    second = make()
    run(planned)

    with pytest.raises(RetentionPlanStale) as refused:
        run(second)

    changed = what_changed(refused.value)
    assert (changed["what"], changed["plan"]) == ("retention-run", str(planned.pk))


def test_waits_for_no_other(planned: RetentionPlan, other: Project) -> None:
    mine = make(Holder.of_project(other))
    start_retention_run(plan=planned, actor=administrator(), now=TODAY)

    with pytest.raises((RetentionRunUnderWay, RetentionPlanStale)):
        start_retention_run(plan=mine, actor=administrator(), now=TODAY)


def test_ends_where_a_policy_changes_under_way(planned: RetentionPlan) -> None:
    start_retention_run(plan=planned, actor=administrator(), now=TODAY)
    demand({})

    ended = apply_retention(clock=lambda: TODAY)

    assert ended is not None
    assert (ended.state, ended.removed_artifacts) == (RunState.STALE, 0)
    assert ended.changed[0]["what"] == "retention-policy"


def test_ends_when_it_is_cancelled(planned: RetentionPlan) -> None:
    started = start_retention_run(plan=planned, actor=administrator(), now=TODAY)
    cancel_retention_run(run=started, actor=administrator(), now=TODAY)

    ended = apply_retention(clock=lambda: TODAY)

    assert ended is not None
    assert (ended.state, ended.removed_artifacts) == (RunState.CANCELLED, 0)


def test_is_applied_once(planned: RetentionPlan) -> None:
    run(planned)

    assert start_retention_run(plan=planned, actor=administrator(), now=TODAY).state == "done"
    assert apply_retention(clock=lambda: TODAY) is None


def test_spares_what_was_downloaded_since(project: Project) -> None:
    demand({"expire": [{"name": "idle", "idle_days": 9}]})
    gone, spared = (put(project, Kind(), first=NOW) for _number in range(2))
    plan = make()
    download(spared, TODAY, "allowed")

    ended = run(plan)

    assert (ended.removed_artifacts, ended.spared_artifacts) == (1, 1)
    assert list(Artifact.objects.values_list("pk", flat=True)) == [spared.pk]
    assert TrashedArtifact.objects.get().artifact_id == gone.pk


def test_takes_what_came_by_a_direct_upload(project: Project) -> None:
    demand(AFTER_9)
    artifact = put(project, Kind(), first=NOW)
    upload = Upload.objects.create(
        build=artifact.build,
        contribution=artifact.contribution,
        path=artifact.path,
        declared_sha256=artifact.blob.sha256,
        size_bytes=artifact.blob.size_bytes,
        part_bytes=1,
        started_at=NOW,
        touched_at=NOW,
        artifact=artifact,
    )

    ended = run(make())

    upload.refresh_from_db()
    assert (ended.removed_artifacts, upload.artifact_id) == (1, None)


@pytest.fixture
def removed(project: Project, store: MemoryBlobStore) -> Artifact:
    """A release of somebody that a run has taken away."""
    artifact = release(project, store, b"first")
    artifact.build.state = BuildState.REFUSED
    artifact.build.save()
    demand(AFTER_9)
    run(make())
    assert not Artifact.objects.exists()
    return artifact


def release(project: Project, store: MemoryBlobStore, data: bytes) -> Artifact:
    return publish_file(
        actor=uploader(project),
        place=Place("acme", "widget", "dist/a"),
        incoming=Incoming(chunks=iter([data]), declared=None),
        store=store,
        clock=lambda: NOW,
    ).artifact


def test_leaves_word_of_what_went(removed: Artifact, project: Project) -> None:
    with pytest.raises(ArtifactExpired) as refused:
        visible_artifact(actor=reader(project), artifact=removed.pk)

    assert refused.value.facts["rule"] == "nine"
    assert refused.value.facts["removed_at"] == TODAY


def test_never_gives_the_name_to_other_bytes(
    removed: Artifact, project: Project, store: MemoryBlobStore
) -> None:
    with pytest.raises(PathTaken) as refused:
        release(project, store, b"second")
    with pytest.raises(ArtifactExpired):
        release(project, store, b"first")

    assert refused.value.facts["existing_sha256"] == removed.blob.sha256
    assert not Artifact.objects.exists()
