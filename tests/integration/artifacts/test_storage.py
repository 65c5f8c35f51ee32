"""What is measured of storage …"""

from datetime import timedelta

import pytest

from artifacts.models import Artifact, Blob, Project, StorageDay
from artifacts.models.retention import INSTANCE
from artifacts.queries.retention import Holder
from artifacts.queries.storage import growth_of, largest_of, newest_storage, storage_of_parts
from artifacts.queries.use import measured_use, pending_free_bytes
from artifacts.usecases.apply_retention import apply_retention
from artifacts.usecases.collect_blobs import GRACE
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from artifacts.usecases.measure_storage import EVERY, measure_storage, measure_storage_when_due
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.set_retention import RetentionChange, set_retention
from artifacts.usecases.start_retention_run import start_retention_run
from provenance.domain import slsa_v1
from provenance.usecases.attest_builds import Attestor
from tests.factories.actors import administrator
from tests.factories.builds import NOW
from tests.factories.burying import bury
from tests.factories.shelf import Kind, put

TODAY = NOW + timedelta(days=100)
MAIN, TAG = "refs/heads/main", "refs/tags/v1"


@pytest.fixture
def gadget(project: Project) -> Project:  # noqa: ARG001 - its organization
    return create_project(
        actor=administrator(), organization="acme", slug="gadget", is_public=False, now=NOW
    )


@pytest.fixture
def foreign(project: Project) -> Project:  # noqa: ARG001 - another beside it
    create_organization(actor=administrator(), slug="globex", now=NOW)
    return create_project(
        actor=administrator(), organization="globex", slug="tool", is_public=False, now=NOW
    )


def amounts(one: StorageDay | None) -> tuple[int, int, int]:
    assert one is not None
    return (one.files, one.logical_bytes, one.physical_bytes)


def test_counts_bytes_once_at_each_level(
    project: Project, gadget: Project, foreign: Project
) -> None:
    for place, kind in (
        (project, Kind(path="a", bytes_of="shared", size_bytes=100)),
        (project, Kind(path="b", bytes_of="shared", size_bytes=100)),
        (gadget, Kind(path="c", bytes_of="shared", size_bytes=100)),
        (gadget, Kind(path="d", bytes_of="own", size_bytes=7)),
        (foreign, Kind(path="e", bytes_of="shared", size_bytes=100)),
    ):
        put(place, kind, first=NOW)

    measure_storage(now=TODAY)

    assert amounts(newest_storage(project.pk)) == (2, 200, 100)
    assert amounts(newest_storage(gadget.pk)) == (2, 107, 107)
    assert amounts(newest_storage(project.organization_id)) == (4, 307, 107)
    assert amounts(newest_storage(foreign.organization_id)) == (1, 100, 100)
    assert amounts(newest_storage(INSTANCE)) == (5, 407, 107)
    for subject in (project, gadget, project.organization, foreign):
        use, _counted = measured_use(subject)
        measured = (use.files, use.logical_bytes, use.physical_bytes)
        assert amounts(newest_storage(subject.pk)) == measured


def test_takes_bytes_for_as_old_as_the_newest_file_that_has_them(project: Project) -> None:
    for stored, text, ref in ((0, "old", MAIN), (0, "kept", MAIN), (95, "kept", TAG)):
        put(project, Kind(ref=ref, stored=stored, bytes_of=text), first=NOW)

    measure_storage(now=TODAY)

    found = newest_storage(project.pk)
    assert found is not None
    assert found.ages == {"0": [2, 200, 100], "3": [1, 100, 100]}
    assert found.refs == [
        [MAIN, {"3": [2, 200, 200]}],
        [TAG, {"0": [1, 100, 100]}],
    ]


def test_leads_from_the_store_down_with_the_largest_first(
    project: Project, gadget: Project, foreign: Project
) -> None:
    put(gadget, Kind(path="big", size_bytes=5000), first=NOW)
    put(project, Kind(path="small", size_bytes=10), first=NOW)
    measure_storage(now=TODAY)
    store, acme = newest_storage(INSTANCE), newest_storage(project.organization_id)
    assert store is not None
    assert acme is not None

    assert [name for name, _day in storage_of_parts(store, limit=5)] == ["acme", "globex"]
    assert [name for name, _day in storage_of_parts(acme, limit=5)] == ["gadget", "widget"]
    assert amounts(newest_storage(foreign.pk)) == (0, 0, 0)
    assert [(one.artifact.path, one.files) for one in largest_of(store)] == [
        ("big", 1),
        ("small", 1),
    ]
    assert [one.artifact.path for one in largest_of(acme)] == ["big", "small"]


def test_names_a_file_of_its_own_for_bytes_that_others_have_too(
    project: Project, foreign: Project
) -> None:
    put(project, Kind(path="ours", bytes_of="shared"), first=NOW)
    put(foreign, Kind(path="theirs", bytes_of="shared", stored=1), first=NOW)
    measure_storage(now=TODAY)
    acme = newest_storage(project.organization_id)
    assert acme is not None

    assert [(one.artifact.path, one.files) for one in largest_of(acme)] == [("ours", 1)]


def test_keeps_a_row_a_day_and_the_details_of_the_newest(project: Project) -> None:
    put(project, Kind(), first=NOW)
    measure_storage(now=TODAY)
    put(project, Kind(path="later"), first=NOW)
    measure_storage(now=TODAY + timedelta(hours=1))
    measure_storage(now=TODAY + timedelta(days=1))

    days = growth_of(project.pk, days=30)

    assert [(one.day, one.files) for one in days] == [
        (TODAY.date(), 2),
        (TODAY.date() + timedelta(days=1), 2),
    ]
    first = StorageDay.objects.get(subject=project.pk, day=TODAY.date())
    assert (first.refs, first.largest) == ([], [])
    measure_storage(now=TODAY + timedelta(days=500))
    assert [one.day for one in growth_of(project.pk, days=30)] == [
        TODAY.date() + timedelta(days=500)
    ]


@pytest.mark.usefixtures("project")
def test_measures_every_quarter_of_an_hour() -> None:
    assert measure_storage_when_due(now=TODAY)
    assert not measure_storage_when_due(now=TODAY + EVERY / 2)
    assert measure_storage_when_due(now=TODAY + EVERY)


def expire_all(place: Project) -> None:
    holder, actor = Holder.of_project(place), administrator()
    change = RetentionChange({"expire": [{"name": "all", "after_days": 1}]})
    set_retention(holder=holder, change=change, actor=actor, now=TODAY)
    plan = plan_retention(holder=holder, actor=actor, now=TODAY)
    start_retention_run(plan=plan, actor=actor, now=TODAY)
    apply_retention(clock=lambda: TODAY)


def test_tells_of_bytes_on_their_way_out_whoever_else_has_them(
    project: Project, gadget: Project, foreign: Project, attestor: Attestor
) -> None:
    for path, bytes_of, size in (("a", "foreign too", 100), ("b", "gadget too", 30)):
        kind = Kind(path=path, bytes_of=bytes_of, size_bytes=size, predicate=slsa_v1.PREDICATE_TYPE)
        put(project, kind, first=NOW)
    put(gadget, Kind(path="c", bytes_of="gadget too", size_bytes=30), first=NOW)
    put(foreign, Kind(path="d", bytes_of="foreign too", size_bytes=100), first=NOW)
    expire_all(project)
    Blob.objects.filter(artifact=None).update(unreferenced_at=TODAY)
    measure_storage(now=TODAY)
    since = TODAY - GRACE

    assert pending_free_bytes(project, freed_after=since) == 130
    assert pending_free_bytes(project.organization, freed_after=since) == 100
    assert pending_free_bytes(gadget, freed_after=since) == 0
    assert pending_free_bytes(foreign.organization, freed_after=since) == 0
    assert pending_free_bytes(project, freed_after=TODAY) == 130, "it is in the trash"
    buried = TODAY + timedelta(days=8)
    assert bury(attestor, buried) == 2
    assert pending_free_bytes(project, freed_after=buried - GRACE) == 130
    assert pending_free_bytes(project, freed_after=buried) == 0
    for subject in (project, project.organization, gadget, foreign):
        found = newest_storage(subject.pk)
        assert found is not None
        assert found.pending_free_bytes == pending_free_bytes(subject, freed_after=since)
    store = newest_storage(INSTANCE)
    assert store is not None
    assert store.pending_free_bytes == 0, "somebody has all of these bytes"
    assert Artifact.objects.count() == 2
