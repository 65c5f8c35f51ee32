"""A store's staging area … (what was begun and left, in every adapter)."""

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

import pytest
from django.utils import timezone

from artifacts.adapters.s3.connection import Bucket
from artifacts.adapters.s3.store import SMALLEST_PART, S3BlobStore
from artifacts.ports import Arriving, Pin
from kernel.digest import Sha256
from tests.factories.stores import Store

A_DAY = timedelta(days=1)


class _BrokenOff(Exception):
    pass


def test_has_what_arrives_and_nothing_afterwards(store: Store) -> None:
    seen: list[Arriving] = []

    def chunks() -> Iterator[bytes]:
        yield b"a" * (SMALLEST_PART + 1)
        yield b"b" * (SMALLEST_PART + 1)
        seen.extend(store.arriving())
        raise _BrokenOff

    with pytest.raises(_BrokenOff):
        store.put(chunks(), expected=None)

    assert all(0 < one.size_bytes <= 2 * (SMALLEST_PART + 1) for one in seen)
    assert list(store.arriving()) == []
    assert store.sweep(before=timezone.now() + A_DAY) == 0


def test_tells_what_a_left_upload_costs_and_gives_it_up(bucket: Bucket) -> None:
    upload = bucket.begin("blobs/left")
    bucket.put_part(upload, 1, b"part", _digest(b"part"))
    staging = S3BlobStore(bucket, part_bytes=SMALLEST_PART)

    [left] = staging.arriving()

    assert (left.key, left.size_bytes) == ("blobs/left", 4)
    assert staging.sweep(before=timezone.now() + A_DAY, busy={"blobs/left"}) == 0
    assert staging.sweep(before=timezone.now() + A_DAY) == 1
    assert list(staging.arriving()) == []


def _digest(data: bytes) -> Sha256:
    return Sha256.of(sha256(data).digest())


def test_tells_the_versions_of_a_key_apart(versioned_bucket: Bucket) -> None:
    """What is read is the measured version, whatever was put there since; both cost room."""
    first = versioned_bucket.put("blobs/key", b"measured", _digest(b"measured"))
    versioned_bucket.put("blobs/key", b"another", _digest(b"another"), replaces=True)

    [listed] = S3BlobStore(versioned_bucket, part_bytes=SMALLEST_PART).page(after="")

    assert listed.size_bytes == len(b"measured") + len(b"another")
    assert [copy.is_of(8, first) for copy in listed.copies].count(True) == 1
    assert not any(copy.is_of(8, Pin(first.etag)) for copy in listed.copies)
