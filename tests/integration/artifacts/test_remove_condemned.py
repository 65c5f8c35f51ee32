"""What is removed counts as gone when the store says so, and …"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifacts.errors import StorageUnavailable
from artifacts.models import Artifact, Blob, BlobState, FreedBlob
from artifacts.ports import Copy, Listed
from artifacts.usecases.remove_condemned import Removed, remove_condemned, still_stored
from kernel.actor import Actor
from tests.factories.builds import NOW, digest_of, send, start
from tests.fakes.blob_store import MemoryBlobStore

LATER = NOW + timedelta(hours=1)


@dataclass(slots=True)
class Shelf:
    """An inventory of keys alone, `size` of them a page; what it `keeps` it does not remove."""

    keys: set[str]
    size: int = 3
    keeps: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)

    def page(self, *, after: str) -> Sequence[Listed]:
        self.asked.append(after)
        behind = sorted(key for key in self.keys if key > after)
        return [Listed(key, NOW, (Copy(1),)) for key in behind[: self.size]]

    def remove(self, key: str) -> None:
        if key not in self.keeps:
            self.keys.discard(key)


def condemn(keys: Sequence[str]) -> None:
    Blob.objects.bulk_create(
        Blob(sha256="", size_bytes=7, key=key, state=BlobState.COLLECTING, stored_at=NOW)
        for key in keys
    )


KEYS = st.sets(st.text("0aé", min_size=1, max_size=4))


@given(KEYS, KEYS, st.integers(1, 4))
@settings(max_examples=300)
def test_asks_for_each_key_on_as_few_pages_as_there_are(
    stored: set[str], asked: set[str], size: int
) -> None:
    shelf = Shelf(stored, size)

    found = still_stored(keys=sorted(asked), inventory=shelf)

    assert found == asked & stored
    assert len(shelf.asked) <= len(stored) + 1


def test_asks_once_for_what_stands_together_and_once_each_for_what_does_not() -> None:
    keys = [f"{number:04x}" for number in range(10_000)]
    shelf = Shelf({f"{number:04x}" for number in range(0, 10_000, 2)}, size=1000)

    assert len(still_stored(keys=keys, inventory=shelf)) == 5000
    assert len(shelf.asked) <= 6
    shelf.asked.clear()
    assert still_stored(keys=keys[1::4000], inventory=shelf) == frozenset()
    assert len(shelf.asked) == 3


def test_is_still_there_where_only_an_old_version_is(project: object) -> None:
    """The list has the key, and the store is paid for it: nothing is confirmed."""
    assert project
    condemn(["blobs/a", "blobs/b"])
    shelf = Shelf({"blobs/a", "blobs/b"}, keeps=frozenset({"blobs/b"}))

    first = remove_condemned(inventory=shelf, now=NOW)
    again = remove_condemned(inventory=shelf, now=LATER)
    shelf.keeps = frozenset()
    last = remove_condemned(inventory=shelf, now=LATER)

    assert (first, again, last) == (
        Removed(confirmed=1, stays=1),
        Removed(stays=1),
        Removed(confirmed=1),
    )
    assert {one.key: one.freed_at for one in FreedBlob.objects.all()} == {
        "blobs/a": NOW,
        "blobs/b": LATER,
    }
    assert not Blob.objects.exists()


def test_says_since_when_it_stays(project: object) -> None:
    assert project
    condemn(["blobs/b"])
    shelf = Shelf({"blobs/b"}, keeps=frozenset({"blobs/b"}))

    for now in (NOW, LATER):
        remove_condemned(inventory=shelf, now=now)

    assert Blob.objects.get().stuck_at == NOW


def test_believes_no_list_that_is_out_of_order(project: object) -> None:
    assert project
    condemn(["blobs/a", "blobs/b"])

    class Disordered(Shelf):
        def page(self, *, after: str) -> Sequence[Listed]:
            return list(reversed(super().page(after=after)))

    with pytest.raises(StorageUnavailable):
        remove_condemned(
            inventory=Disordered({"blobs/a", "blobs/b", "blobs/c", "blobs/d"}), now=NOW
        )

    assert not FreedBlob.objects.exists()
    assert Blob.objects.count() == 2


def test_believes_no_list_that_does_not_go_on(project: object) -> None:
    """A server that answers with its first page whatever was asked."""
    assert project
    condemn([f"blobs/{number}" for number in range(9)])

    class Stuck(Shelf):
        def page(self, *, after: str) -> Sequence[Listed]:
            del after
            return super().page(after="")

    with pytest.raises(StorageUnavailable):
        remove_condemned(inventory=Stuck({"blobs/0", "blobs/00"}), now=NOW)

    assert not FreedBlob.objects.exists()


def test_believes_no_empty_place_where_bytes_should_be(
    first: Actor, store: MemoryBlobStore
) -> None:
    """A disk that is not mounted lacks everything, and has removed nothing."""
    send(first, start(first).build, store, "kept", b"kept")
    condemn(["blobs/a"])

    with pytest.raises(StorageUnavailable):
        remove_condemned(inventory=MemoryBlobStore(), now=NOW)

    assert not FreedBlob.objects.exists()
    assert remove_condemned(inventory=store, now=NOW) == Removed(confirmed=1)


def test_confirms_nothing_when_the_store_does_not_answer(project: object) -> None:
    assert project
    condemn(["blobs/a"])

    class Silent(Shelf):
        def page(self, *, after: str) -> Sequence[Listed]:
            raise StorageUnavailable(reason="down", after=after)

    shelf = Silent({"blobs/a"})
    with pytest.raises(StorageUnavailable):
        remove_condemned(inventory=shelf, now=NOW)

    assert shelf.keys == set()
    assert not FreedBlob.objects.exists()
    assert remove_condemned(inventory=Shelf(set()), now=LATER) == Removed(confirmed=1)


def test_writes_down_what_went(first: Actor, store: MemoryBlobStore) -> None:
    blob = send(first, start(first).build, store, "gone", b"gone").artifact.blob
    Artifact.objects.all().delete()
    Blob.objects.update(state=BlobState.COLLECTING)

    remove_condemned(inventory=store, now=LATER)

    freed = FreedBlob.objects.get()
    assert (freed.blob_id, freed.key, freed.size_bytes) == (blob.pk, blob.key, 4)
    assert (freed.sha256, freed.freed_at, freed.plan) == (digest_of(b"gone").hex, LATER, None)
