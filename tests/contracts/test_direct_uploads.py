"""A bucket for direct uploads … (every adapter keeps the same promises)."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import urllib3

from artifacts.adapters.s3.direct import S3DirectUploads
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from artifacts.errors import BlobMissing
from artifacts.ports import BlobStore, DirectUploads, SignedPart, Transfer
from tests.contracts.conftest import new_bucket, server_named
from tests.factories.builds import digest_of
from tests.factories.flying_part import flying_part
from tests.factories.s3_server import S3_SERVERS
from tests.factories.stores import read
from tests.fakes.blob_store import MemoryBlobStore
from tests.fakes.direct_uploads import MemoryDirectUploads

NOW = datetime.now(UTC)
FIRST, LAST = bytes(range(256)) * (SMALLEST_PART // 256), b"the rest"
WHOLE = FIRST + LAST


@dataclass(frozen=True)
class Place:
    """A bucket, how clients put parts there, and how its objects are read."""

    direct: DirectUploads
    put: Callable[[SignedPart, bytes], bool]
    store: BlobStore
    # A part on its way while something else happens.
    flying: Callable[[SignedPart, bytes], AbstractContextManager[None]]

    def begin(self) -> tuple[str, Transfer]:
        begun = self.direct.begin(digest_of(WHOLE))
        return begun.key, self.direct.resume(begun)

    def send(self, transfer: Transfer, number: int, body: bytes) -> bool:
        [part] = transfer.sign({number: digest_of(body)}, now=NOW)
        return self.put(part, body)


def put_over_http(part: SignedPart, body: bytes) -> bool:
    answer = urllib3.request("PUT", part.url, body=body, headers=dict(part.headers), retries=False)
    return answer.status == 200


@pytest.fixture(params=["memory", *S3_SERVERS, *(f"{server}-versioned" for server in S3_SERVERS)])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Place:
    if request.param == "memory":
        store = MemoryBlobStore()
        memory = MemoryDirectUploads(store)

        @contextmanager
        def flying(part: SignedPart, body: bytes) -> Iterator[None]:
            yield
            memory.put(part, body)

        return Place(memory, memory.put, store, flying)
    name, _, versioned = request.param.partition("-")
    server = server_named(request, name)
    bucket = new_bucket(server, monkeypatch, is_versioned=bool(versioned))
    return Place(
        S3DirectUploads(bucket, public=bucket),
        put_over_http,
        S3BlobStore(bucket, part_bytes=SMALLEST_PART),
        lambda part, body: flying_part(part.url, part.headers, body),
    )


def test_makes_one_object_of_the_parts(place: Place) -> None:
    key, transfer = place.begin()
    assert place.send(transfer, 2, LAST)
    assert place.send(transfer, 1, FIRST)
    arrived = transfer.arrived()

    pin = transfer.complete(size_bytes=len(WHOLE))

    assert arrived is not None
    assert [(one.number, one.size_bytes, one.digest) for one in arrived] == [
        (1, len(FIRST), digest_of(FIRST)),
        (2, len(LAST), digest_of(LAST)),
    ]
    with place.store.open(key, size_bytes=len(WHOLE), pin=pin) as reader:
        assert b"".join(reader.chunks(0, len(WHOLE))) == WHOLE


def test_takes_no_other_bytes_at_an_address(place: Place) -> None:
    _key, transfer = place.begin()
    [part] = transfer.sign({1: digest_of(FIRST)}, now=NOW)

    assert not place.put(part, LAST)
    assert not transfer.arrived()
    assert place.put(part, FIRST)


def test_signs_a_part_again_and_keeps_the_last_bytes(place: Place) -> None:
    key, transfer = place.begin()
    assert place.send(transfer, 1, LAST)
    assert place.send(transfer, 1, FIRST)

    transfer.complete(size_bytes=len(FIRST))

    assert read(place.store, key, len(FIRST)) == FIRST


def test_is_completed_again_without_harm(place: Place) -> None:
    _key, transfer = place.begin()
    assert place.send(transfer, 1, WHOLE)

    pin = transfer.complete(size_bytes=len(WHOLE))

    assert transfer.complete(size_bytes=len(WHOLE)) == pin
    assert transfer.arrived() is None


def test_begins_each_time_under_a_key_of_its_own(place: Place) -> None:
    assert place.begin()[0] != place.begin()[0]


def test_forgets_what_was_given_up(place: Place) -> None:
    _key, transfer = place.begin()
    assert place.send(transfer, 1, FIRST)

    transfer.abort()
    transfer.abort()

    assert transfer.arrived() is None
    assert not place.send(transfer, 1, FIRST)
    with pytest.raises(BlobMissing):
        transfer.complete(size_bytes=len(FIRST))


def test_completes_nothing_that_a_part_on_its_way_revived(place: Place) -> None:
    key, transfer = place.begin()
    [part] = transfer.sign({1: digest_of(WHOLE)}, now=NOW)

    with place.flying(part, WHOLE):
        transfer.abort()

    with pytest.raises(BlobMissing):
        transfer.complete(size_bytes=len(WHOLE))
    with pytest.raises(BlobMissing):
        read(place.store, key, len(WHOLE))
