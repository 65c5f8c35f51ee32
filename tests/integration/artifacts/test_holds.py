"""A legal hold …"""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artifacts.domain.holds import (
    CONSENT_LIFE,
    ArtifactHeld,
    HoldMalformed,
    HoldNeedsAnother,
    HoldNotActive,
    HoldNotFound,
    HoldState,
    Reach,
)
from artifacts.domain.patterns import Pattern
from artifacts.domain.reasons import ReasonMissing
from artifacts.models import Artifact, Build, Hold, HoldConsent, HoldLifting, Project
from artifacts.queries.holds import HoldFilter, holds_after, visible_hold
from artifacts.queries.locking import holds_change
from artifacts.queries.protecting import held_among, holds_on
from artifacts.queries.retention import Holder
from artifacts.usecases.apply_retention import apply_retention
from artifacts.usecases.collect_blobs import GRACE, collect_blobs
from artifacts.usecases.create_project import create_project
from artifacts.usecases.place_hold import Holding, place_hold
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.set_retention import RetentionChange, set_retention
from artifacts.usecases.start_retention_run import start_retention_run
from artifacts.usecases.withdraw_file import withdraw_file
from kernel.actor import Actor, PermissionMissing, PersonNeeded
from kernel.audit.models import AuditRecord
from tests.factories import legal_holds
from tests.factories.actors import administrator, owner, reader, uploader
from tests.factories.blocked import is_anybody_blocked
from tests.factories.builds import NOW, send, start
from tests.factories.holdings import sweep
from tests.factories.shelf import Kind, put
from tests.fakes.blob_store import MemoryBlobStore

TODAY = NOW + timedelta(days=20)
OLD = {"expire": [{"name": "old", "after_days": 5, "is_final": True}]}

hold = partial(legal_holds.hold, now=TODAY)
lift = partial(legal_holds.lift, now=TODAY)
lifted = partial(legal_holds.lifted, now=TODAY)


def expire_everything() -> None:
    set_retention(
        holder=Holder.instance(), change=RetentionChange(OLD), actor=administrator(), now=TODAY
    )


def run() -> None:
    plan = plan_retention(holder=Holder.instance(), actor=administrator(), now=TODAY)
    start_retention_run(plan=plan, actor=administrator(), now=TODAY)
    apply_retention(clock=lambda: TODAY)


def left() -> set[Any]:
    return set(Artifact.objects.values_list("pk", flat=True))


REACHES: dict[str, Callable[[Artifact], Reach]] = {
    "artifact": lambda one: Reach(artifact=one.pk),
    "build": lambda one: Reach(build=one.build_id),
    "paths": lambda one: Reach(paths=Pattern(one.path)),
}


@pytest.mark.parametrize("of", REACHES.values(), ids=REACHES)
def test_keeps_what_it_covers_from_a_run(project: Project, of: Callable[..., Reach]) -> None:
    held, other = (put(project, Kind(path=path), first=NOW) for path in ("a", "b"))
    expire_everything()
    hold(project, of(held))

    run()

    assert left() == {held.pk}
    assert other.pk not in left()


def test_of_a_project_keeps_what_comes_later_too(project: Project) -> None:
    other = create_project(
        actor=administrator(), organization="acme", slug="other", is_public=False, now=NOW
    )
    hold(project)
    kept, gone = put(project, Kind(), first=NOW), put(other, Kind(), first=NOW)
    expire_everything()

    run()

    assert left() == {kept.pk}
    assert gone.pk not in left()


def test_spares_what_a_run_is_about_to_take(project: Project) -> None:
    held, gone = (put(project, Kind(path=path), first=NOW) for path in ("a", "b"))
    expire_everything()
    plan = plan_retention(holder=Holder.instance(), actor=administrator(), now=TODAY)
    started = start_retention_run(plan=plan, actor=administrator(), now=TODAY)
    hold(project, Reach(artifact=held.pk))

    apply_retention(clock=lambda: TODAY)

    started.refresh_from_db()
    assert left() == {held.pk}
    assert (started.removed_artifacts, started.spared_artifacts) == (1, 1)
    assert gone.pk not in left()


def test_that_is_being_placed_is_waited_for_by_a_run(project: Project) -> None:
    artifact = put(project, Kind(), first=NOW)
    expire_everything()
    plan = plan_retention(holder=Holder.instance(), actor=administrator(), now=TODAY)
    start_retention_run(plan=plan, actor=administrator(), now=TODAY)
    worker = threading.Thread(target=apply_and_close)

    with transaction.atomic():
        holds_change()
        Hold.objects.create(
            project=project,
            artifact_id=artifact.pk,
            reason="in this moment",
            placed_at=TODAY,
            placed_by="the test",
        )
        worker.start()
        while not is_anybody_blocked():
            worker.join(0.01)
    worker.join()

    assert left() == {artifact.pk}


def apply_and_close() -> None:
    try:
        apply_retention(clock=lambda: TODAY)
    finally:
        connection.close()


def test_keeps_a_file_from_being_withdrawn(
    project: Project, first: Actor, store: MemoryBlobStore
) -> None:
    build = start(first).build
    brought = send(first, build, store, "a").artifact
    held = hold(project, Reach(paths=Pattern("a")))

    with pytest.raises(ArtifactHeld) as refused:
        withdraw_file(actor=first, build=build.pk, path="a", now=TODAY)

    assert refused.value.facts["holds"] == [held.pk]
    assert left() == {brought.pk}
    lifted(held)
    withdraw_file(actor=first, build=build.pk, path="a", now=TODAY)
    assert left() == set()


def test_keeps_a_build_that_was_left_open(
    project: Project, first: Actor, store: MemoryBlobStore
) -> None:
    kept = start(first, "kept").build
    held = send(first, kept, store, "a").artifact
    send(first, start(first, "gone").build, store, "b")
    hold(project, Reach(artifact=held.pk))

    sweep(store, now=TODAY)

    assert left() == {held.pk}
    assert set(Build.objects.values_list("pk", flat=True)) == {kept.pk}


def test_keeps_the_bytes(project: Project, first: Actor, store: MemoryBlobStore) -> None:
    held = send(first, start(first).build, store, "a").artifact
    hold(project, Reach(artifact=held.pk))
    expire_everything()

    run()
    for day in range(3):
        collect_blobs(inventory=store, now=TODAY + day * (GRACE + timedelta(seconds=1)))

    assert [one.key for one in store.page(after="")] == [held.blob.key]


def test_lets_everything_go_on_once_it_was_lifted_or_has_ended(project: Project) -> None:
    held, ended = (put(project, Kind(path=path), first=NOW) for path in ("a", "b"))
    expire_everything()
    lifted(hold(project, Reach(artifact=held.pk)))
    place_hold(
        project=project,
        holding=Holding(Reach(artifact=ended.pk), "short", ends_at=TODAY - timedelta(days=1)),
        actor=owner(project),
        now=NOW,
    )

    run()

    assert left() == set()


def test_is_lifted_by_two_persons(project: Project) -> None:
    held = hold(project)

    asked = lift(held, owner(project, 1))
    assert asked.standing.state(now=TODAY) is HoldState.ACTIVE
    with pytest.raises(HoldNeedsAnother):
        lift(held, owner(project, 1))
    done = lift(held, owner(project, 2))

    assert done.standing.state(now=TODAY) is HoldState.LIFTED
    with pytest.raises(HoldNotActive):
        lift(held, owner(project, 3))
    told = AuditRecord.objects.filter(action__startswith="hold.").order_by("id")
    assert [one.action for one in told] == ["hold.place", "hold.ask-lift", "hold.lift"]
    assert told[0].facts["reason"] == "case 7"
    assert told[2].facts["reason"] == "case closed"


def test_waits_for_as_many_persons_as_it_should(project: Project) -> None:
    held = hold(project)

    states = [
        lift(held, owner(project, person), persons=3).standing.state(now=TODAY)
        for person in (1, 2, 3)
    ]

    assert states == [HoldState.ACTIVE, HoldState.ACTIVE, HoldState.LIFTED]


def test_forgets_a_request_after_a_week(project: Project) -> None:
    held = hold(project)
    lift(held, owner(project, 1))
    later = TODAY + CONSENT_LIFE

    assert lift(held, owner(project, 2), now=later).standing.lifted_at is None
    assert lift(held, owner(project, 1), now=later).standing.lifted_at == later


def test_is_lifted_by_persons_alone(project: Project) -> None:
    held = hold(project)
    narrow = replace(owner(project, 2), is_narrowed=True)

    for actor, refusal in [
        (administrator(), PersonNeeded),  # a service's token
        (narrow, PersonNeeded),
        (reader(project), PermissionMissing),
        (uploader(project), PermissionMissing),
    ]:
        with pytest.raises(refusal):
            lift(held, actor)

    assert not HoldConsent.objects.exists()
    assert not HoldLifting.objects.exists()


def test_is_placed_by_owners_alone(project: Project) -> None:
    for actor in (reader(project), uploader(project)):
        with pytest.raises(PermissionMissing):
            place_hold(project=project, holding=Holding(Reach(), "case"), actor=actor, now=TODAY)

    assert not Hold.objects.exists()


def test_needs_a_reason_and_something_to_cover(project: Project) -> None:
    artifact = put(project, Kind(), first=NOW)
    other = create_project(
        actor=administrator(), organization="acme", slug="other", is_public=False, now=NOW
    )
    for holding, field in [
        (Holding(Reach(), "case", ends_at=TODAY), "ends_at"),
        (Holding(Reach(artifact=artifact.pk, build=artifact.build_id), "case"), "covers"),
        (Holding(Reach(paths=Pattern("***")), "case"), "paths"),
        (Holding(Reach(build=artifact.pk), "case"), "build"),
        (Holding(Reach(artifact=artifact.build_id), "case"), "artifact"),
    ]:
        with pytest.raises(HoldMalformed) as refused:
            place_hold(project=project, holding=holding, actor=owner(project), now=TODAY)
        assert refused.value.facts["field"] == field
    with pytest.raises(HoldMalformed):
        hold(other, Reach(artifact=artifact.pk))
    for reason in (" ", "x" * 501):
        with pytest.raises(ReasonMissing):
            place_hold(
                project=project, holding=Holding(Reach(), reason), actor=owner(project), now=TODAY
            )


def test_is_listed_by_state_and_seen_by_owners(project: Project) -> None:
    active = hold(project, ends_at=TODAY + timedelta(days=9))
    gone = lifted(hold(project))
    ended = hold(project, ends_at=TODAY + timedelta(days=1))
    later = TODAY + timedelta(days=2)

    def listed(state: HoldState | None, holder: Holder) -> set[Any]:
        found = holds_after(None, holder=holder, wanted=HoldFilter(state), limit=9, now=later)
        return {one.pk for one in found}

    for holder in (
        Holder.of_project(project),
        Holder.of_organization(project.organization),
        Holder.instance(),
    ):
        assert listed(None, holder) == {active.pk, gone.pk, ended.pk}
        assert listed(HoldState.ACTIVE, holder) == {active.pk}
        assert listed(HoldState.LIFTED, holder) == {gone.pk}
        assert listed(HoldState.ENDED, holder) == {ended.pk}
    assert visible_hold(actor=owner(project), hold=active.pk) == active
    with pytest.raises(HoldNotFound):
        visible_hold(actor=reader(project), hold=active.pk)


PATTERNS = [None, Pattern("a"), Pattern("*"), Pattern("b/**"), Pattern("**/c")]
PATHS = ["a", "b/c", "b/d/c", "A"]


def test_in_sql_covers_what_it_covers(project: Project) -> None:
    shelf = [put(project, Kind(path=path), first=NOW) for path in PATHS]
    reach = st.one_of(
        st.sampled_from(PATTERNS).map(lambda paths: Reach(paths=paths)),
        st.sampled_from(shelf).map(lambda one: Reach(artifact=one.pk)),
        st.sampled_from(shelf).map(lambda one: Reach(build=one.build_id)),
    )

    @settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.differing_executors]
    )
    @given(st.lists(st.tuples(reach, st.integers(0, 4), st.booleans()), max_size=4))
    def agrees(wanted: list[tuple[Reach, int, bool]]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE hold CASCADE")
        held = [
            place_hold(
                project=project,
                holding=Holding(
                    one, f"case {number}", ends_at=NOW + timedelta(days=days) if days else None
                ),
                actor=owner(project),
                now=NOW,
            )
            for number, (one, days, _is_lifted) in enumerate(wanted)
        ]
        for one, (_reach, _days, is_lifted) in zip(held, wanted, strict=True):
            if is_lifted:
                HoldLifting.objects.create(hold=one, lifted_at=NOW)
        now = NOW + timedelta(days=2)
        current = Hold.objects.select_related("lifting")

        expected = {
            artifact.pk: {
                one.pk
                for one in current
                if one.standing.state(now=now) is HoldState.ACTIVE
                and one.reach.covers(
                    artifact=artifact.pk, build=artifact.build_id, path=artifact.path
                )
            }
            for artifact in shelf
        }

        assert expected == {one.pk: {two.pk for two in holds_on(one, now=now)} for one in shelf}
        covered = {pk for pk, holds in expected.items() if holds}
        assert covered == held_among(Artifact, [one.pk for one in shelf], now=now)

    agrees()
