"""The collector …"""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection, transaction
from django.utils import timezone

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.errors import StorageUnavailable
from artifacts.models import Artifact, Blob, BlobState, Build
from artifacts.usecases.collect_blobs import (
    EVERY,
    GRACE,
    Collected,
    collect_blobs,
    collect_blobs_when_due,
)
from artifacts.usecases.store_blob import store_blob
from kernel.actor import Actor
from tests.factories.builds import NOW, digest_of, send, start
from tests.fakes.blob_store import MemoryBlobStore

LATER = NOW + timedelta(seconds=1)
A_DAY_LATER = LATER + GRACE + timedelta(seconds=1)


def forgotten(actor: Actor, store: MemoryBlobStore, data: bytes) -> Blob:
    """A blob whose only artifact is gone."""
    build = start(actor, "forgotten").build
    artifact = send(actor, build, store, data.decode(), data).artifact
    Artifact.objects.filter(pk=artifact.pk).delete()
    return artifact.blob


def kept(actor: Actor, store: MemoryBlobStore, data: bytes) -> Blob:
    build = start(actor, "kept").build
    return send(actor, build, store, data.decode(), data).artifact.blob


def test_removes_what_nobody_has_had_for_a_day(first: Actor, store: MemoryBlobStore) -> None:
    blob, other = forgotten(first, store, b"forgotten"), kept(first, store, b"kept")

    assert collect_blobs(inventory=store, now=LATER) == Collected()
    before = set(store.blobs)
    assert collect_blobs(inventory=store, now=A_DAY_LATER) == Collected(unreferenced=1, removed=1)

    assert before == {blob.key, other.key}
    assert set(store.blobs) == {other.key}
    assert [one.pk for one in Blob.objects.all()] == [other.pk]


def test_counts_the_day_from_when_it_first_saw_that_nobody_had_it(
    first: Actor, store: MemoryBlobStore
) -> None:
    """Not from the upload: old bytes that were let go a minute ago may be wanted again."""
    blob = forgotten(first, store, b"old")
    Blob.objects.update(stored_at=NOW - timedelta(days=100))
    store.written_at = NOW - timedelta(days=100)

    collect_blobs(inventory=store, now=LATER)

    assert set(store.blobs) == {blob.key}


def test_leaves_what_somebody_has_again(first: Actor, store: MemoryBlobStore) -> None:
    blob = forgotten(first, store, b"again")
    collect_blobs(inventory=store, now=LATER)

    again = kept(first, store, b"again")

    assert again == blob
    assert collect_blobs(inventory=store, now=A_DAY_LATER) == Collected()
    assert set(store.blobs) == {blob.key}
    Artifact.objects.all().delete()
    assert collect_blobs(inventory=store, now=A_DAY_LATER + EVERY) == Collected()


def test_removes_stored_keys_without_a_row_after_a_day(
    project: object, store: MemoryBlobStore
) -> None:
    store.put([b"left by a crash"], expected=None)

    assert collect_blobs(inventory=store, now=store.written_at + GRACE) == Collected()
    found = collect_blobs(inventory=store, now=store.written_at + GRACE + timedelta(seconds=1))

    assert found == Collected(orphans=1, removed=1)
    assert store.blobs == {}
    assert not Blob.objects.exists()
    assert project


def test_finds_orphans_on_every_page(project: object, store: MemoryBlobStore) -> None:
    for number in range(10):
        store.put([bytes([number])], expected=None)

    found = collect_blobs(inventory=store, now=A_DAY_LATER)

    assert found == Collected(orphans=10, removed=10)
    assert project


def test_refuses_bytes_whose_row_comes_too_late(project: object, store: MemoryBlobStore) -> None:
    """An upload that stood still for a day between bytes and row: never a row without bytes."""
    stored, twin = (store.put([b"late"], expected=None) for _ in range(2))
    Blob.objects.create(
        sha256="", size_bytes=0, key=stored.key, state=BlobState.COLLECTING, stored_at=NOW
    )

    with pytest.raises(StorageUnavailable), transaction.atomic():
        store_blob(stored=stored, now=NOW)
    with transaction.atomic():
        assert store_blob(stored=twin, now=NOW).key == twin.key
    assert project


def test_refuses_bytes_whose_collectors_row_is_gone_again(
    project: object, store: MemoryBlobStore
) -> None:
    """The same after the collector's whole round: time alone tells, by the database's clock."""
    late, in_time = (
        replace(store.put([data], expected=None), record_before=timezone.now() + wait)
        for data, wait in ((b"late", timedelta(0)), (b"in time", timedelta(hours=1)))
    )

    with pytest.raises(StorageUnavailable), transaction.atomic():
        store_blob(stored=late, now=NOW)
    with transaction.atomic():
        assert store_blob(stored=in_time, now=NOW).key == in_time.key
    assert [blob.key for blob in Blob.objects.all()] == [in_time.key]
    assert project


def test_takes_a_hit_on_a_collecting_blob_for_a_miss(first: Actor, store: MemoryBlobStore) -> None:
    old = kept(first, store, b"bytes")
    Artifact.objects.all().delete()
    Blob.objects.update(state=BlobState.COLLECTING)

    new = kept(first, store, b"bytes")
    collect_blobs(inventory=store, now=A_DAY_LATER)

    assert new.pk != old.pk
    assert new.key != old.key
    assert set(store.blobs) == {new.key}
    assert list(Blob.objects.all()) == [new]


def test_leaves_a_blob_that_somebody_finds_in_this_moment(
    first: Actor, store: MemoryBlobStore
) -> None:
    """The upload holds the blob FOR SHARE and has not committed: the collector passes it by."""
    blob = forgotten(first, store, b"found")
    collect_blobs(inventory=store, now=LATER)
    store.written_at = A_DAY_LATER
    found, collected = threading.Event(), threading.Event()

    def upload() -> None:
        stored = store.put([b"found"], expected=None)
        build = Build.objects.get()
        with transaction.atomic():
            hit = store_blob(stored=stored, now=NOW)
            found.set()
            collected.wait(timeout=60)
            Artifact.objects.create(
                project=build.project,
                build=build,
                contribution=build.contributions.get(),
                path="found",
                blob=hit,
                stored_at=NOW,
            )
        connection.close()

    thread = threading.Thread(target=upload)
    thread.start()
    assert found.wait(timeout=60)
    result = collect_blobs(inventory=store, now=A_DAY_LATER)
    collected.set()
    thread.join()

    assert result == Collected()
    assert blob.key in store.blobs
    assert Artifact.objects.get().blob == blob
    assert Blob.objects.get().state == BlobState.LIVE


def test_lets_one_collect_at_a_time(first: Actor, store: MemoryBlobStore) -> None:
    forgotten(first, store, b"bytes")
    collect_blobs(inventory=store, now=LATER)
    outcomes = []

    class Reentered(MemoryBlobStore):
        def remove(self, key: str) -> None:
            other = threading.Thread(target=self.collect)
            other.start()
            other.join()
            super().remove(key)

        def collect(self) -> None:
            outcomes.append(collect_blobs(inventory=self, now=A_DAY_LATER))
            connection.close()

    collect_blobs(inventory=Reentered(blobs=store.blobs), now=A_DAY_LATER)

    assert outcomes == [None]
    assert collect_blobs(inventory=store, now=A_DAY_LATER) is not None


def test_runs_once_an_hour(project: object, store: MemoryBlobStore) -> None:
    assert collect_blobs_when_due(inventory=store, now=NOW) is not None
    assert collect_blobs_when_due(inventory=store, now=NOW + EVERY / 2) is None
    assert collect_blobs_when_due(inventory=store, now=NOW + EVERY) is not None
    assert project


def test_goes_on_when_one_key_cannot_be_removed(first: Actor, store: MemoryBlobStore) -> None:
    stuck, gone = forgotten(first, store, b"stuck"), forgotten(first, store, b"gone")
    collect_blobs(inventory=store, now=LATER)

    class Locked(MemoryBlobStore):
        def remove(self, key: str) -> None:
            if key == stuck.key:
                raise StorageUnavailable(reason="AccessDenied")
            super().remove(key)

    found = collect_blobs(inventory=Locked(blobs=store.blobs), now=A_DAY_LATER)

    assert found == Collected(unreferenced=2, removed=1, left=1)
    assert gone.key not in store.blobs
    assert Blob.objects.get().state == BlobState.COLLECTING
    assert collect_blobs(inventory=store, now=A_DAY_LATER) == Collected(removed=1)
    assert not Blob.objects.exists()


def test_mends_a_damaged_file_by_an_identical_upload(first: Actor, tmp_path: Path) -> None:
    directory = DirectoryBlobStore(tmp_path)
    build = start(first, "mend").build
    blob = send(first, build, directory, "a", b"genuine").artifact.blob
    (tmp_path / blob.key).write_bytes(b"damaged")

    send(first, build, directory, "b", b"genuine")

    assert (tmp_path / blob.key).read_bytes() == b"genuine"
    assert [one.key for one in directory.page(after="")] == [blob.key]
    assert Blob.objects.get().sha256 == digest_of(b"genuine").hex
