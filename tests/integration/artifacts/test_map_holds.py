"""The bucket follows legal holds …"""

import logging
from datetime import timedelta
from functools import partial

import pytest

from artifacts.domain.holds import Reach
from artifacts.domain.lifecycle import BuildState
from artifacts.domain.patterns import Pattern
from artifacts.errors import StorageUnavailable
from artifacts.models import Artifact, BucketHold, Build, Project
from artifacts.queries.bucket_holds import bucket_holds
from artifacts.queries.locking import mappers_turn
from artifacts.usecases import map_holds as mapping
from artifacts.usecases.create_project import create_project
from artifacts.usecases.map_holds import EVERY, Mapped, map_holds, map_holds_when_due
from artifacts.usecases.mend_blob import take_copy
from artifacts.usecases.probe_store import probe_store
from artifacts.usecases.remove_artifact import remove_artifact
from kernel.actor import Actor
from kernel.outbox.models import OutboxEvent
from tests.factories import legal_holds
from tests.factories.actors import administrator, job, owner
from tests.factories.builds import NOW, at_once, send, start
from tests.factories.direct_uploads import Able
from tests.factories.facts import witnessed
from tests.factories.legal_holds import PLACE, hold, keys, lifted
from tests.fakes.blob_store import MemoryBlobStore

LATER = NOW + timedelta(hours=1)


mapped = partial(legal_holds.mapped, now=LATER)


def said() -> set[str]:
    """What the rows say that the bucket holds."""
    return set(BucketHold.objects.exclude(held_at=None).values_list("key", flat=True))


def test_holding_what_one_covers_and_nothing_else(
    project: Project, files: dict[str, Artifact], store: MemoryBlobStore
) -> None:
    hold(project, Reach(paths=Pattern("kept/**")), now=NOW)

    assert mapped(store) == Mapped(held=2)

    assert store.held == said() == keys(files["kept/a"], files["kept/b"])
    assert bucket_holds() == (2, 0)
    assert mapped(store) == Mapped()


def test_releasing_it_when_the_last_one_is_lifted(
    project: Project, files: dict[str, Artifact], store: MemoryBlobStore
) -> None:
    first = hold(project, Reach(artifact=files["other"].pk), now=NOW)
    second = hold(project, Reach(build=files["other"].build_id), now=NOW)
    mapped(store)

    lifted(second, now=LATER)
    after_one = mapped(store), set(store.held)
    lifted(first, now=LATER)

    assert after_one == (Mapped(released=2), keys(files["other"]))
    assert mapped(store) == Mapped(released=1)
    assert (store.held, BucketHold.objects.count()) == (set(), 0)


@pytest.mark.usefixtures("files")
def test_releasing_it_when_the_hold_ends_by_itself(
    project: Project, store: MemoryBlobStore
) -> None:
    hold(project, now=NOW, ends_at=LATER)

    assert mapped(store, now=LATER - timedelta(seconds=1)) == Mapped(held=3)
    assert mapped(store, now=LATER) == Mapped(released=3)


@pytest.mark.usefixtures("files")
def test_with_what_comes_later(project: Project, first: Actor, store: MemoryBlobStore) -> None:
    hold(project, Reach(paths=Pattern("kept/**")), now=NOW)
    mapped(store)

    late = send(first, start(first, "late").build, store, "kept/late").artifact

    assert mapped(store) == Mapped(held=1)
    assert late.blob.key in store.held


def test_with_what_lies_in_the_trash(
    project: Project, files: dict[str, Artifact], store: MemoryBlobStore
) -> None:
    ended = {"sealed_at": NOW, "published_at": NOW, "state": BuildState.PUBLISHED}
    Build.objects.update(**ended)
    gone = Artifact.objects.get(pk=files["other"].pk)
    week = timedelta(days=7)
    remove_artifact(artifact=gone, reason="mistake", trash=week, actor=owner(project), now=NOW)
    hold(project, Reach(artifact=gone.pk), now=NOW)

    assert mapped(store) == Mapped(held=1)
    assert store.held == keys(gone)


def test_counting_bytes_that_are_shared_once(
    project: Project, files: dict[str, Artifact], store: MemoryBlobStore
) -> None:
    create_project(
        actor=administrator(), organization="acme", slug="other", is_public=False, now=NOW
    )
    theirs = Project.objects.get(slug="other")
    other = job(theirs, witnessed())
    build = start(other, "theirs", project="other").build
    twin = send(other, build, store, "twin", b"other").artifact
    ours, their = hold(project, now=NOW), hold(theirs, now=NOW)

    assert twin.blob_id == files["other"].blob_id
    assert mapped(store) == Mapped(held=3)
    lifted(ours, now=LATER)
    assert mapped(store) == Mapped(released=2)
    assert store.held == keys(twin)
    lifted(their, now=LATER)
    assert mapped(store) == Mapped(released=1)


def test_to_the_whole_copy_of_what_was_damaged(
    project: Project, files: dict[str, Artifact], store: MemoryBlobStore
) -> None:
    hold(project, Reach(artifact=files["other"].pk), now=NOW)
    mapped(store)
    whole = store.put([b"other"], expected=None)
    old = files["other"].blob.key

    assert take_copy(blob=files["other"].blob, stored=whole, way="second-copy", now=LATER)

    assert mapped(store) == Mapped(held=1, released=1)
    assert store.held == {whole.key}
    assert old not in said()


def test_and_never_releases_what_somebody_else_had_locked(
    project: Project, files: dict[str, Artifact], store: MemoryBlobStore
) -> None:
    store.hold([files["other"].blob.version])
    held = hold(project, now=NOW)
    mapped(store)

    lifted(held, now=LATER)

    assert mapped(store) == Mapped(released=3)
    assert store.held == keys(files["other"])
    assert BucketHold.objects.count() == 0


@pytest.mark.usefixtures("files")
def test_only_where_the_bucket_was_found_able(project: Project, store: MemoryBlobStore) -> None:
    hold(project, now=NOW)

    assert map_holds(bucket=store, place="never tried", clock=lambda: LATER) is None
    probe_store(place=PLACE, probe=Able(frozenset({"legal-hold"})), now=NOW)
    assert mapped(store) is None
    assert map_holds_when_due(bucket=None, place=PLACE, clock=lambda: LATER) is None
    assert store.held == set()


@pytest.mark.usefixtures("files")
def test_saying_nothing_that_the_bucket_refused(
    project: Project,
    store: MemoryBlobStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hold(project, now=NOW)
    store.is_deaf = True

    with caplog.at_level(logging.WARNING):
        assert mapped(store) == Mapped(left=3)
    assert bucket_holds() == (0, 3)
    assert "holds mapped to the bucket" in caplog.text

    store.is_deaf = False
    assert mapped(store) == Mapped(held=3)


@pytest.mark.usefixtures("files")
def test_keeping_the_row_of_what_could_not_be_released(
    project: Project, store: MemoryBlobStore
) -> None:
    held = hold(project, now=NOW)
    mapped(store)
    lifted(held, now=LATER)
    store.is_deaf = True

    assert mapped(store) == Mapped(left=3)
    assert bucket_holds() == (0, 3)

    store.is_deaf = False
    assert mapped(store) == Mapped(released=3)
    assert store.held == set()


def test_for_all_files_although_one_has_lost_its_bytes(
    project: Project, files: dict[str, Artifact], store: MemoryBlobStore
) -> None:
    hold(project, now=NOW)
    del store.blobs[files["other"].blob.key]

    assert mapped(store) == Mapped(held=2, left=1)
    assert mapped(store) == Mapped(left=1)
    assert said() == keys(files["kept/a"], files["kept/b"])


@pytest.mark.usefixtures("files")
def test_one_worker_at_a_time(project: Project, store: MemoryBlobStore) -> None:
    hold(project, now=NOW)

    with mappers_turn():
        assert at_once(lambda: mapped(store)) == [None]
    assert mapped(store) == Mapped(held=3)


@pytest.mark.usefixtures("files")
def test_at_once_when_one_is_placed_or_lifted_and_every_five_minutes(
    project: Project, first: Actor, store: MemoryBlobStore
) -> None:
    def due(now: object) -> Mapped | None:
        return map_holds_when_due(bucket=store, place=PLACE, clock=lambda: now)  # type: ignore[arg-type,return-value] # a moment

    assert due(NOW) == Mapped()
    held = hold(project, now=NOW + timedelta(seconds=1))
    assert OutboxEvent.objects.filter(name="holds.changed").count() == 1
    assert due(NOW + timedelta(seconds=2)) == Mapped(held=3)
    send(first, start(first, "late").build, store, "late")
    assert due(NOW + EVERY) is None
    assert due(NOW + EVERY + timedelta(seconds=2)) == Mapped(held=1)
    lifted(held, now=LATER)
    assert OutboxEvent.objects.filter(name="holds.changed").count() == 2
    assert due(LATER + timedelta(seconds=1)) == Mapped(released=4)


@pytest.mark.usefixtures("files")
def test_in_slices_of_which_the_next_sweep_does_another(
    project: Project,
    store: MemoryBlobStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mapping, "BATCH", 1)
    hold(project, now=NOW)
    moments = iter([NOW, NOW, NOW, NOW, NOW + mapping.SLICE, NOW + mapping.SLICE])

    first = map_holds_when_due(bucket=store, place=PLACE, clock=lambda: next(moments))
    second = map_holds_when_due(bucket=store, place=PLACE, clock=lambda: NOW)

    assert (first, second) == (Mapped(held=2), Mapped(held=1))


@pytest.mark.usefixtures("files")
def test_not_while_it_is_away(project: Project, store: MemoryBlobStore) -> None:
    hold(project, now=NOW)
    store.is_down = True

    with pytest.raises(StorageUnavailable):
        mapped(store)

    store.is_down = False
    assert map_holds_when_due(bucket=store, place=PLACE, clock=lambda: NOW) == Mapped(held=3)
