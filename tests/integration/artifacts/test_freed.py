"""What a plan frees is told as planned, deleted and confirmed, and …"""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from artifacts.models import Artifact, Blob, FreedBlob, Project, RetentionPlan, TrashedArtifact
from artifacts.queries.freed import Freed, Waiting, Whereabouts, freed_by
from artifacts.queries.retention import Holder
from artifacts.usecases.apply_retention import WEEK, apply_retention
from artifacts.usecases.collect_blobs import GRACE, collect_blobs
from artifacts.usecases.create_project import create_project
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.remove_artifact import remove_artifact
from artifacts.usecases.restore_artifact import Restoring, restore_trashed
from artifacts.usecases.set_retention import RetentionChange, set_retention
from artifacts.usecases.start_retention_run import start_retention_run
from provenance.domain import slsa_v1
from provenance.usecases.attest_builds import Attestor
from tests.factories.actors import administrator, owner
from tests.factories.builds import NOW
from tests.factories.burying import bury
from tests.factories.shelf import Kind, put
from tests.fakes.blob_store import MemoryBlobStore

TODAY = NOW + timedelta(days=20)
EMPTIED = TODAY + WEEK
LATER = EMPTIED + timedelta(seconds=1)
COLLECTED = LATER + GRACE + timedelta(seconds=1)


@pytest.fixture(autouse=True)
def rule(project: Project) -> None:
    set_retention(
        holder=Holder.instance(),
        change=RetentionChange({"expire": [{"name": "nine", "after_days": 9}]}),
        actor=administrator(),
        now=NOW,
    )
    assert project.slug == "widget"


def stocked(store: MemoryBlobStore, project: Project, kind: Kind) -> Artifact:
    """An artifact whose bytes are stored."""
    artifact = put(project, replace(kind, predicate=slsa_v1.PREDICATE_TYPE), first=NOW)
    store.blobs[artifact.blob.key] = bytes(artifact.blob.size_bytes)
    return artifact


def planned(project: Project, *, now: datetime = TODAY) -> RetentionPlan:
    return plan_retention(holder=Holder.of_project(project), actor=administrator(), now=now)


def applied(project: Project, *, now: datetime = TODAY) -> RetentionPlan:
    plan = planned(project, now=now)
    start_retention_run(plan=plan, actor=administrator(), now=now)
    apply_retention(clock=lambda: now)
    return plan


def emptied_and_collected(
    store: MemoryBlobStore, attestor: Attestor, *, now: datetime = EMPTIED
) -> None:
    bury(attestor, now)
    for wait in (timedelta(seconds=1), GRACE + timedelta(seconds=2)):
        collect_blobs(inventory=store, now=now + wait)


def freed(plan: RetentionPlan, *, now: datetime = COLLECTED) -> Freed:
    return freed_by(plan, grace=GRACE, now=now)


def other(slug: str = "gadget") -> Project:
    return create_project(
        actor=administrator(), organization="acme", slug=slug, is_public=False, now=NOW
    )


def test_says_at_each_step_where_the_bytes_are(
    project: Project, store: MemoryBlobStore, attestor: Attestor
) -> None:
    for path in ("a", "b"):
        stocked(store, project, Kind(path=path))
    plan = planned(project)

    assert freed(plan) == Freed(0, 0, 0, {Whereabouts.NOT_REMOVED: Waiting(2, 200, None)})
    start_retention_run(plan=plan, actor=administrator(), now=TODAY)
    apply_retention(clock=lambda: TODAY)
    assert freed(plan) == Freed(0, 0, 0, {Whereabouts.IN_TRASH: Waiting(2, 200, EMPTIED)})
    bury(attestor, EMPTIED)
    in_grace = Waiting(2, 200, EMPTIED + GRACE)
    assert freed(plan, now=EMPTIED) == Freed(0, 0, 0, {Whereabouts.IN_GRACE: in_grace})
    collect_blobs(inventory=store, now=LATER)
    in_grace = Waiting(2, 200, LATER + GRACE)
    assert freed(plan) == Freed(0, 0, 0, {Whereabouts.IN_GRACE: in_grace})
    collect_blobs(inventory=store, now=COLLECTED)
    assert freed(plan) == Freed(2, 2, 200, {})
    assert store.blobs == {}


def test_confirms_nothing_that_the_store_still_has(
    project: Project, store: MemoryBlobStore, attestor: Attestor
) -> None:
    gone = stocked(store, project, Kind(path="a"))
    kept = stocked(store, project, Kind(path="b"))

    class Versioned(MemoryBlobStore):
        def remove(self, key: str) -> None:
            if key != kept.blob.key:
                super().remove(key)

    plan = applied(project)
    emptied_and_collected(Versioned(blobs=store.blobs), attestor)

    assert freed(plan) == Freed(1, 1, 100, {Whereabouts.STUCK: Waiting(1, 100, None)})
    collect_blobs(inventory=store, now=COLLECTED)
    assert freed(plan) == Freed(2, 2, 200, {})
    assert {one.key for one in FreedBlob.objects.all()} == {gone.blob.key, kept.blob.key}


def test_counts_shared_bytes_once_and_for_the_last_who_had_them(
    project: Project, store: MemoryBlobStore, attestor: Attestor
) -> None:
    for one in (project, project, gadget := other()):
        stocked(store, one, Kind(path=str(one.pk), bytes_of="shared"))

    first = applied(project)
    emptied_and_collected(store, attestor)

    assert freed(first) == Freed(0, 0, 0, {Whereabouts.SHARED: Waiting(2, 0, None)})
    assert store.blobs
    second = applied(gadget, now=COLLECTED)
    emptied_and_collected(store, attestor, now=COLLECTED + WEEK)
    assert freed(first) == Freed(2, 0, 0, {})
    assert freed(second) == Freed(1, 1, 100, {})
    assert store.blobs == {}


def test_counts_shared_bytes_of_one_plan_once(
    project: Project, store: MemoryBlobStore, attestor: Attestor
) -> None:
    for path in ("a", "b", "c"):
        stocked(store, project, Kind(path=path, bytes_of="shared"))

    plan = applied(project)
    emptied_and_collected(store, attestor)

    assert (plan.artifacts, plan.physical_bytes) == (3, 100)
    assert freed(plan) == Freed(3, 1, 100, {})


def test_leaves_to_a_person_what_the_person_freed(
    project: Project, store: MemoryBlobStore, attestor: Attestor
) -> None:
    stocked(store, project, Kind(path="a", bytes_of="shared"))
    last = stocked(store, project, Kind(path="b", bytes_of="shared", stored=18))

    plan = applied(project)
    removed_at = TODAY + timedelta(seconds=1)
    remove_artifact(artifact=last, reason="bad", trash=WEEK, actor=owner(project), now=removed_at)
    emptied_and_collected(store, attestor, now=removed_at + WEEK)

    assert freed(plan) == Freed(1, 0, 0, {})
    assert FreedBlob.objects.get().plan is None


def test_takes_nothing_for_its_own_that_came_again_later(
    project: Project, store: MemoryBlobStore, attestor: Attestor
) -> None:
    """The same digest in a blob of its own, while the first one's removal is refused."""
    stuck = stocked(store, project, Kind(path="a", bytes_of="same")).blob
    first = applied(project)
    bury(attestor, EMPTIED)
    collect_blobs(inventory=store, now=LATER)
    Blob.objects.filter(pk=stuck.pk).update(state="collecting", key=f"{stuck.key}.first")
    again = put(
        project,
        Kind(path="b", bytes_of="same", stored=28, predicate=slsa_v1.PREDICATE_TYPE),
        first=NOW,
    )
    second = applied(project, now=NOW + timedelta(days=40))
    emptied_and_collected(store, attestor, now=NOW + timedelta(days=40) + WEEK)

    assert again.blob.pk != stuck.pk
    assert [one.plan_id for one in FreedBlob.objects.order_by("blob_id")] == [first.pk, second.pk]


def test_counts_nothing_that_was_restored(
    project: Project, store: MemoryBlobStore, attestor: Attestor
) -> None:
    kept = stocked(store, project, Kind(path="a"))
    stocked(store, project, Kind(path="b"))

    plan = applied(project)
    restore_trashed(
        trashed=TrashedArtifact.objects.get(pk=kept.pk),
        restoring=Restoring("needed", 9 * WEEK),
        actor=owner(project),
        now=TODAY,
    )
    emptied_and_collected(store, attestor)

    assert freed(plan) == Freed(1, 1, 100, {Whereabouts.NOT_REMOVED: Waiting(1, 100, None)})
    assert set(store.blobs) == {kept.blob.key}
