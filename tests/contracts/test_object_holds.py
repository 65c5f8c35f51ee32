"""A bucket's own legal holds … (also against somebody who has its credentials)."""

from hashlib import sha256
from typing import NamedTuple

import pytest

from artifacts.adapters.s3.connection import Bucket
from artifacts.adapters.s3.holds import S3ObjectHolds
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from artifacts.errors import BlobMissing, StorageUnavailable
from artifacts.ports import ObjectHolds, ObjectVersion, Pin, StoredBytes
from kernel.digest import Sha256
from tests.contracts.conftest import new_bucket, server_named
from tests.factories.s3_server import S3_SERVERS
from tests.factories.stores import Store
from tests.fakes.blob_store import MemoryBlobStore

GONE = ObjectVersion("blobs/sha256/00/nothing/0", Pin())


class Place(NamedTuple):
    """A store, and its holds."""

    store: Store
    holds: ObjectHolds


@pytest.fixture(params=["memory", *(f"{server}-versioned" for server in S3_SERVERS)])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "memory":
        store = MemoryBlobStore()
        return Place(store, store)
    server = server_named(request, request.param.partition("-")[0])
    bucket = new_bucket(server, monkeypatch, is_versioned=True, has_object_lock=True)
    return Place(S3BlobStore(bucket, part_bytes=SMALLEST_PART), S3ObjectHolds(bucket))


def version(stored: StoredBytes) -> ObjectVersion:
    return ObjectVersion(stored.key, stored.pin)


def test_are_on_nothing_that_nobody_held(place: Place) -> None:
    stored = place.store.put([b"free"], expected=None)

    assert place.holds.are_held([version(stored), GONE]) == [False, False]


def test_keep_what_is_held_from_being_removed(place: Place) -> None:
    held, free = (version(place.store.put([data], expected=None)) for data in (b"held", b"free"))

    assert place.holds.hold([held]) == [True]
    assert place.holds.hold([held]) == [True]

    assert place.holds.are_held([held, free]) == [True, False]
    with pytest.raises(StorageUnavailable) as why:
        place.store.remove(held.key)
    assert "legal hold" in str(why.value.facts["reason"])
    place.store.remove(free.key)
    with place.store.open(held.key, size_bytes=4, pin=held.pin) as reader:
        assert b"".join(reader.chunks(0, 4)) == b"held"


def test_let_go_of_what_is_released(place: Place) -> None:
    held = version(place.store.put([b"held"], expected=None))
    place.holds.hold([held])

    assert place.holds.release([held]) == [True]
    assert place.holds.release([held]) == [True]

    assert place.holds.are_held([held]) == [False]
    place.store.remove(held.key)
    with pytest.raises(BlobMissing), place.store.open(held.key, size_bytes=4, pin=held.pin):
        pass


def test_say_which_of_many_could_not_be_held(place: Place) -> None:
    there = [version(place.store.put([bytes([one])], expected=None)) for one in range(20)]

    assert place.holds.hold([*there[:10], GONE, *there[10:]]) == [True] * 10 + [False] + [True] * 10
    assert place.holds.are_held(there) == [True] * 20
    assert place.holds.release([GONE]) == [True]


def test_survive_a_delete_marker_and_what_is_put_over_it(locked_bucket: Bucket) -> None:
    store, holds = (
        S3BlobStore(locked_bucket, part_bytes=SMALLEST_PART),
        S3ObjectHolds(locked_bucket),
    )
    held = version(store.put([b"held"], expected=None))
    holds.hold([held])

    locked_bucket.ask("delete_object", held.key)  # as anybody may who has our credentials
    behind_a_marker = holds.are_held([held])
    locked_bucket.put(held.key, b"evil", Sha256.of(sha256(b"evil").digest()), replaces=True)

    assert behind_a_marker == holds.are_held([held]) == [True]
    with store.open(held.key, size_bytes=4, pin=held.pin) as reader:
        assert b"".join(reader.chunks(0, 4)) == b"held"
    [listed] = store.page(after="")
    assert [copy.pin for copy in listed.copies if copy.is_of(4, held.pin)] == [held.pin]
    with pytest.raises(StorageUnavailable) as why:
        store.remove(held.key)
    assert "legal hold" in str(why.value.facts["reason"])


def test_reach_nothing_that_a_delete_marker_hides(locked_bucket: Bucket) -> None:
    stored = S3BlobStore(locked_bucket, part_bytes=SMALLEST_PART).put([b"hidden"], expected=None)
    without_a_version, holds = ObjectVersion(stored.key), S3ObjectHolds(locked_bucket)
    locked_bucket.ask("delete_object", stored.key)

    assert holds.hold([without_a_version]) == [False]
    assert holds.are_held([without_a_version]) == [False]


def test_are_none_in_a_bucket_without_object_lock(bucket: Bucket) -> None:
    stored = S3BlobStore(bucket, part_bytes=SMALLEST_PART).put([b"free"], expected=None)
    holds = S3ObjectHolds(bucket)

    assert holds.hold([version(stored)]) == [False]
    with pytest.raises(StorageUnavailable):
        holds.are_held([version(stored)])
