"""What is held, in the trash or in use keeps its bytes, in every store, whoever sweeps there."""

from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from django.utils import timezone

from artifacts.domain.declarations import Kind as Use
from artifacts.domain.holds import Reach
from artifacts.domain.lifecycle import BuildState
from artifacts.models import Artifact, Blob, Build, DeclaredUse, FreedBlob, Project
from artifacts.queries.retention import Holder
from artifacts.usecases.apply_retention import WEEK, apply_retention
from artifacts.usecases.collect_blobs import GRACE, collect_blobs
from artifacts.usecases.mend_blob import Copies
from artifacts.usecases.place_hold import Holding, place_hold
from artifacts.usecases.plan_retention import plan_retention
from artifacts.usecases.reconcile_store import Kept, reconcile_store
from artifacts.usecases.remove_artifact import remove_artifact
from artifacts.usecases.repair_store import Repair, repair_store
from artifacts.usecases.set_retention import RetentionChange, set_retention
from artifacts.usecases.start_retention_run import start_retention_run
from config.operator import OPERATOR
from kernel.actor import Actor
from provenance.usecases.attest_builds import Attestor
from tests.factories.actors import administrator, owner
from tests.factories.builds import send, start
from tests.factories.burying import bury
from tests.factories.stores import KINDS, Store, read, store_of

# By the clock of the store's server, which knows when its keys were written.
EXPIRED: Final = timezone.now() + timedelta(days=30)
EMPTIED: Final = EXPIRED + WEEK
KEPT: Final = ("held", "held in the trash", "in the trash", "in use")
GONE: Final = ("gone", "gone too")


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    return store_of(request.param, request, tmp_path, monkeypatch)


@pytest.fixture
def files(project: Project, first: Actor, store: Store) -> dict[str, Artifact]:
    """One of each fate, and one that shares the bytes of what is held; all have expired."""
    build = start(first, "fates").build
    for path in (*KEPT, *GONE):
        send(first, build, store, path)
    send(first, build, store, "the same", b"held")
    Build.objects.update(state=BuildState.REFUSED)
    set_retention(
        holder=Holder.of_project(project),
        change=RetentionChange({"expire": [{"name": "nine", "after_days": 9}]}),
        actor=administrator(),
        now=EXPIRED,
    )
    found = Artifact.objects.select_related("blob", "build", "project__organization")
    return {one.path: one for one in found}


def hold(artifact: Artifact) -> None:
    place_hold(
        project=artifact.project,
        holding=Holding(Reach(artifact=artifact.pk), "case"),
        actor=owner(artifact.project),
        now=EXPIRED,
    )


def use(artifact: Artifact) -> None:
    DeclaredUse.objects.create(
        project=artifact.project,
        sha256=artifact.blob.sha256,
        kind=Use.RELEASE,
        identity=str(artifact.pk),
        document={},
        protects=True,
        declared_at=EXPIRED,
        declared_by="the test",
    )


def run(project: Project) -> None:
    plan = plan_retention(holder=Holder.of_project(project), actor=administrator(), now=EXPIRED)
    start_retention_run(plan=plan, actor=administrator(), now=EXPIRED)
    apply_retention(clock=lambda: EXPIRED)


def collect(store: Store) -> None:
    for after in range(3):
        collect_blobs(inventory=store, now=EMPTIED + after * (GRACE + timedelta(seconds=1)))


def repair(store: Store) -> None:
    now = EMPTIED + 4 * GRACE
    kept = Kept("place", store, store, store)
    repair_store(
        report=reconcile_store(kept=kept, clock=lambda: now),
        repair=Repair(kept, Copies(store, store), OPERATOR),
        now=now,
        told=lambda *_: None,
    )


def test_outlive_run_trash_collector_and_repair(
    project: Project, files: dict[str, Artifact], store: Store, attestor: Attestor
) -> None:
    hold(files["held"])
    use(files["in use"])
    remove_artifact(
        artifact=files["in the trash"],
        reason="for the longest window",
        trash=timedelta(days=90),
        actor=owner(project),
        now=EXPIRED - timedelta(days=25),
    )
    run(project)
    hold(files["held in the trash"])
    orphan = store.put([b"nobody's"], expected=None)

    bury(attestor, EMPTIED)
    collect(store)
    repair(store)

    kept = {path: files[path].blob for path in KEPT}
    assert {path: read(store, one.key, one.size_bytes) for path, one in kept.items()} == {
        path: path.encode() for path in KEPT
    }
    assert {one.key for one in store.page(after="")} == {one.key for one in kept.values()}
    gone = {files[path].blob.key for path in GONE} | {orphan.key}
    assert set(FreedBlob.objects.values_list("key", flat=True)) == gone
    assert set(Blob.objects.all()) == set(kept.values())
