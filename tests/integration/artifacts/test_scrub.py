"""Scrubbing …"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from artifacts.adapters.directory_store import DirectoryBlobStore
from artifacts.errors import StorageUnavailable
from artifacts.models import Blob, Scrub
from artifacts.ports import UNPINNED, Pin
from artifacts.usecases.mark_damaged import mark_damaged
from artifacts.usecases.mend_blob import EVERY, Copies, mend_damaged, mend_damaged_when_due
from artifacts.usecases.scrub_blobs import LEASE, SLICE, Scrubbed, scrub_blobs
from kernel.actor import Actor
from kernel.audit.models import AuditRecord
from tests.factories.builds import NOW, send, start
from tests.fakes.blob_store import MemoryBlobStore, MemoryReader

RATE = 2  # bytes a second: 30 in a slice


class Clock:
    """Says what it is set to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def blobs(first: Actor, store: MemoryBlobStore) -> list[Blob]:
    """Five of ten bytes, in the order in which they are read."""
    build = start(first, "kept").build
    sent = [send(first, build, store, str(one), str(one).encode() * 10) for one in range(5)]
    return sorted((one.artifact.blob for one in sent), key=lambda blob: blob.pk)


@pytest.fixture
def scrub(store: MemoryBlobStore, clock: Clock) -> Callable[[], Scrubbed | None]:
    return lambda: scrub_blobs(copies=Copies(store, store), bytes_per_second=RATE, clock=clock)


def test_reads_as_much_as_the_rate_allows_and_goes_on_there(
    blobs: list[Blob], clock: Clock, scrub: Callable[[], Scrubbed | None]
) -> None:
    assert scrub() == Scrubbed(blobs=3, size_bytes=30)
    assert scrub() is None  # what was read has to be worth its time first
    clock.now += SLICE
    assert scrub() == Scrubbed(blobs=2, size_bytes=20)
    clock.now += SLICE

    assert scrub() == Scrubbed(blobs=3, size_bytes=30)
    assert Scrub.objects.get().last_round_ended_at == NOW + SLICE
    assert len(blobs) == 5


def test_owes_the_time_of_a_blob_that_is_larger_than_a_slice(
    first: Actor, store: MemoryBlobStore, clock: Clock, scrub: Callable[[], Scrubbed | None]
) -> None:
    send(first, start(first, "large").build, store, "large", b"x" * 600)

    assert scrub() == Scrubbed(blobs=1, size_bytes=600)
    clock.now += timedelta(seconds=299)
    assert scrub() is None
    clock.now += timedelta(seconds=1)
    assert scrub() is not None


def test_marks_what_is_not_as_it_was_measured(
    blobs: list[Blob], store: MemoryBlobStore, scrub: Callable[[], Scrubbed | None]
) -> None:
    store.blobs[blobs[1].key] = b"0123456789"

    assert scrub() == Scrubbed(blobs=3, size_bytes=30, damaged=1)

    assert Blob.objects.get(damaged_at__isnull=False) == blobs[1]
    [event] = AuditRecord.objects.filter(action="blob.damage")
    assert event.target == blobs[1].sha256
    assert not mark_damaged(blob=blobs[1], found="again", now=NOW)
    assert AuditRecord.objects.filter(action="blob.damage").count() == 1


def test_takes_bytes_that_are_gone_for_no_damage(
    blobs: list[Blob], store: MemoryBlobStore, scrub: Callable[[], Scrubbed | None]
) -> None:
    """The whole disk may be away: the reconciliation asks more before it believes that."""
    store.blobs.clear()

    assert scrub() == Scrubbed(blobs=3, size_bytes=30)
    assert not Blob.objects.filter(damaged_at__isnull=False).exists()
    assert blobs


def test_stays_where_it_is_while_the_store_is_down(
    blobs: list[Blob], store: MemoryBlobStore, clock: Clock, scrub: Callable[[], Scrubbed | None]
) -> None:
    store.is_down = True
    with pytest.raises(StorageUnavailable):
        scrub()
    store.is_down = False

    assert scrub() is None
    clock.now += SLICE
    assert scrub() == Scrubbed(blobs=3, size_bytes=30)
    assert blobs


def test_is_one_workers_at_a_time_and_the_next_ones_when_it_died(
    blobs: list[Blob], clock: Clock, scrub: Callable[[], Scrubbed | None]
) -> None:
    scrub()
    Scrub.objects.update(rests_until=None, leased_until=NOW + LEASE)

    assert scrub() is None
    clock.now += LEASE
    assert scrub() == Scrubbed(blobs=2, size_bytes=20)
    assert blobs


@pytest.mark.usefixtures("blobs")
def test_stops_when_another_worker_has_taken_over(store: MemoryBlobStore, clock: Clock) -> None:
    class Slow(MemoryBlobStore):
        @contextmanager
        def open(self, key: str, *, size_bytes: int, pin: Pin = UNPINNED) -> Iterator[MemoryReader]:
            Scrub.objects.update(lease=uuid4())
            with super().open(key, size_bytes=size_bytes, pin=pin) as reader:
                yield reader

    slow = Slow(blobs=store.blobs)

    done = scrub_blobs(copies=Copies(slow, slow), bytes_per_second=RATE, clock=clock)

    assert done == Scrubbed(blobs=1, size_bytes=10)
    assert Scrub.objects.get().position == 0


@pytest.fixture
def damaged(blobs: list[Blob], store: MemoryBlobStore) -> Blob:
    """One that is marked, and has other bytes of the same size."""
    store.blobs[blobs[1].key] = b"0123456789"
    mark_damaged(blob=blobs[1], found="others", now=NOW)
    return blobs[1]


def mended(store: MemoryBlobStore, second: MemoryBlobStore | None = None) -> list[str | None]:
    copies = Copies(store, store, second)
    return [way for _blob, way in mend_damaged(copies=copies, now=NOW)]


def test_mends_what_somebody_has_put_back(damaged: Blob, store: MemoryBlobStore) -> None:
    assert mended(store) == [None]

    store.blobs[damaged.key] = b"1" * 10

    assert mended(store) == ["in-place"]
    assert not Blob.objects.filter(damaged_at__isnull=False).exists()
    [event] = AuditRecord.objects.filter(action="blob.mend")
    assert (event.target, event.facts["way"]) == (damaged.sha256, "in-place")


def test_mends_from_another_copy_in_the_store(damaged: Blob, store: MemoryBlobStore) -> None:
    copy = store.put([b"1" * 10], expected=None).key

    assert mended(store) == ["adopted"]
    assert Blob.objects.get(pk=damaged.pk).key == copy


def test_mends_from_the_second_store(damaged: Blob, store: MemoryBlobStore) -> None:
    second = MemoryBlobStore(blobs={damaged.key: b"1" * 10})

    assert mended(store, second) == ["second-copy"]

    now = Blob.objects.get(pk=damaged.pk)
    assert (now.damaged_at, store.blobs[now.key]) == (None, b"1" * 10)
    assert set(second.blobs) == {damaged.key}


def test_takes_no_other_bytes_from_the_second_store(damaged: Blob, store: MemoryBlobStore) -> None:
    before = dict(store.blobs)

    assert mended(store, MemoryBlobStore(blobs={damaged.key: b"FORGED BY1"})) == [None]
    assert mended(store, MemoryBlobStore(is_down=True)) == [None]

    assert store.blobs == before
    assert Blob.objects.get(damaged_at__isnull=False) == damaged


def test_mends_by_an_identical_upload(damaged: Blob, first: Actor, store: MemoryBlobStore) -> None:
    """Also where the store takes the old copy for whole: a disk lies about bytes, not sizes."""
    build = start(first, "again").build

    again = send(first, build, store, "again", b"1" * 10).artifact

    blob = Blob.objects.get(pk=damaged.pk)
    assert again.blob == blob
    assert (blob.damaged_at, store.blobs[blob.key]) == (None, b"1" * 10)
    assert blob.key != damaged.key


def test_mends_in_the_round_that_finds_the_damage(
    blobs: list[Blob], store: MemoryBlobStore, clock: Clock
) -> None:
    store.blobs[blobs[1].key] = b"0123456789"
    second = MemoryBlobStore(blobs={blobs[1].key: b"1" * 10})

    done = scrub_blobs(copies=Copies(store, store, second), bytes_per_second=RATE, clock=clock)

    assert done == Scrubbed(blobs=3, size_bytes=30, damaged=1)
    assert not Blob.objects.filter(damaged_at__isnull=False).exists()


def test_tries_to_mend_once_an_hour(damaged: Blob, store: MemoryBlobStore) -> None:
    copies = Copies(store, store)
    assert mend_damaged_when_due(copies=copies, now=NOW) == 0
    store.blobs[damaged.key] = b"1" * 10

    assert mend_damaged_when_due(copies=copies, now=NOW + EVERY / 2) == 0
    assert mend_damaged_when_due(copies=copies, now=NOW + EVERY) == 1


def test_finds_one_changed_bit_on_a_disk(first: Actor, tmp_path: Path, clock: Clock) -> None:
    directory = DirectoryBlobStore(tmp_path)
    build = start(first, "disk").build
    blob = send(first, build, directory, "a", b"genuine" * 100_000).artifact.blob
    with (tmp_path / blob.key).open("r+b") as file:
        file.seek(300_000)
        file.write(bytes([file.read(1)[0] ^ 1]))

    done = scrub_blobs(copies=Copies(directory, directory), bytes_per_second=1_000_000, clock=clock)

    assert done == Scrubbed(blobs=1, size_bytes=700_000, damaged=1)
