"""Blobs in a bucket of an S3-compatible server, uploaded through the app.

    blobs/sha256/<aa>/<digest>/<random>   what was measured before it was sent, or declared
    blobs/measured/<random>               longer than a part, and measured when all of it was there

An object appears when it is whole, under a key of its own. A key is a place, not a proof: the
digest in the blob's row is what was measured.
"""

import logging
import secrets
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Final

from artifacts.adapters.s3.answers import ObjectExists
from artifacts.adapters.s3.connection import Body, Bucket, Head, Upload
from artifacts.adapters.s3.holds import S3ObjectHolds
from artifacts.errors import BlobMissing, DigestMismatch, StorageUnavailable
from artifacts.ports import (
    RECORD_WITHIN,
    UNPINNED,
    Arriving,
    Listed,
    ObjectVersion,
    Pin,
    StoredBytes,
)
from kernel import faults
from kernel.digest import Sha256

logger = logging.getLogger(__name__)

READ_BYTES: Final = 512 * 1024
SMALLEST_PART: Final = 5 * 1024 * 1024  # S3's own limit, on all parts but the last
MOST_PARTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class ObjectReader:
    """An open object, pinned: one reader serves any number of ranges."""

    bucket: Bucket
    key: str
    pin: Pin
    path: None = None

    def chunks(self, start: int, length: int) -> Iterator[bytes]:
        """Bytes [start, start + length), at most 512 KiB at a time.

        Raises:
            StorageUnavailable: the server failed, or the object became another one.
        """
        if length == 0:
            return
        left = length
        try:
            with self.bucket.read(self.key, pin=self.pin, start=start, length=length) as answer:
                while left and (chunk := answer.read(min(READ_BYTES, left))):
                    left -= len(chunk)
                    yield chunk
        except (ObjectExists, BlobMissing) as error:
            raise StorageUnavailable(reason="a blob changed while it was read") from error
        if left:
            raise StorageUnavailable(reason="a blob ended early", missing_bytes=left)


@dataclass(slots=True)
class _Measured:
    """Bytes on their way, cut into parts and measured as a whole. `has_ended`: no part follows."""

    chunks: Iterable[bytes]
    part_bytes: int
    whole: Any = field(default_factory=sha256)
    size_bytes: int = 0
    has_ended: bool = False

    def parts(self) -> Iterator[Body]:
        """Parts of the same size; the last is what is left, and may be empty if it is the first.

        What was given is not held any more when the next is collected, and nothing is copied:
        a large upload is two parts in memory because of this.
        """
        pending = bytearray()
        for chunk in self.chunks:
            self.whole.update(chunk)
            self.size_bytes += len(chunk)
            pending += chunk
            while len(pending) > self.part_bytes:
                rest = pending[self.part_bytes :]
                del pending[self.part_bytes :]
                yield pending
                pending = rest
            faults.reach("artifacts.receiving")
        self.has_ended = True
        yield pending

    @property
    def digest(self) -> Sha256:
        """Of everything that came so far."""
        return Sha256.of(self.whole.digest())


class S3BlobStore:
    """Implements BlobStore, Arrivals and Inventory in one bucket.

    Memory: an upload holds two parts at most, of `part_bytes` each.
    """

    def __init__(self, bucket: Bucket, *, part_bytes: int) -> None:
        if part_bytes < SMALLEST_PART:
            raise ValueError(f"a part has at least {SMALLEST_PART} bytes")
        self._bucket = bucket
        self._holds = S3ObjectHolds(bucket)
        self._part_bytes = part_bytes

    def put(self, chunks: Iterable[bytes], *, expected: Sha256 | None) -> StoredBytes:
        record_before = datetime.now(UTC) + RECORD_WITHIN
        measured = _Measured(chunks, self._part_bytes)
        parts = measured.parts()
        held = [next(parts)]
        if measured.has_ended:
            _check(measured, expected)
            key = _key(measured.digest)
            faults.reach("artifacts.promoting")
            pin = self._put_small(key, held.pop(), measured.digest)
        else:
            key = _key(expected) if expected else f"blobs/measured/{secrets.token_hex(16)}"
            pin = self._put_large(key, measured, _chain(held, parts), expected)
        return StoredBytes(measured.digest, measured.size_bytes, key, pin, record_before)

    def merge(self, duplicate: StoredBytes, *, into: StoredBytes) -> StoredBytes:
        """Keep the older one as long as the server says that it is the same; else the duplicate."""
        found = self._bucket.find(into.key, into.pin)
        if found is None or not _is(found, into.size_bytes, into.pin):
            logger.error(
                "damaged blob replaced", extra={"key": into.key, "sha256": into.digest.hex}
            )
            return duplicate
        self._bucket.remove(duplicate.key)
        return into

    @contextmanager
    def open(self, key: str, *, size_bytes: int, pin: Pin = UNPINNED) -> Iterator[ObjectReader]:
        if not key.startswith("blobs/") or ".." in key:
            raise BlobMissing(key=key[:300], reason="not a key of this store")
        found = self._bucket.find(key, pin)
        if found is None or not _is(found, size_bytes, pin):
            size = found.size_bytes if found else None
            raise BlobMissing(key=key, expected_bytes=size_bytes, found_bytes=size)
        yield ObjectReader(self._bucket, key, found.pin)

    def page(self, *, after: str) -> Sequence[Listed]:
        return self._bucket.page("blobs/", after=after)

    def remove(self, key: str) -> None:
        try:
            self._bucket.remove(key)
        except BlobMissing:
            return
        except StorageUnavailable as refusal:
            # Each server refuses in words of its own.
            if self._is_held(key):
                raise StorageUnavailable(reason="a legal hold of the bucket is on it") from refusal
            raise

    def check(self) -> None:
        key, probe = f"probes/{secrets.token_hex(16)}", secrets.token_bytes(16)
        self._bucket.put(key, probe, Sha256.of(sha256(probe).digest()))
        try:
            found = self._bucket.find(key)
            if found is None:
                raise StorageUnavailable(reason="what was written cannot be found")
            with self._bucket.read(key, pin=found.pin, start=0, length=len(probe)) as answer:
                if answer.read() != probe:
                    raise StorageUnavailable(reason="what was written is not what was read")
        finally:
            self._bucket.remove(key)

    def arriving(self) -> Iterator[Arriving]:
        for upload, begun_at in self._bucket.uploads():
            # What ends while we look is no trouble.
            with suppress(BlobMissing):
                size_bytes = sum(part.size_bytes for part in self._bucket.parts(upload))
                yield Arriving(upload.key, begun_at, size_bytes)

    def sweep(self, *, before: datetime, busy: Container[str] = ()) -> int:
        old = [
            upload
            for upload, begun_at in self._bucket.uploads()
            if begun_at < before and upload.key not in busy
        ]
        for upload in old:
            self._bucket.abort(upload)
        return len(old)

    def _is_held(self, key: str) -> bool:
        """Whether the bucket says so; one without object lock has no answer."""
        copies = [copy for one in self._bucket.page(key, after="") for copy in one.copies]
        with suppress(StorageUnavailable):
            return any(self._holds.are_held([ObjectVersion(key, copy.pin) for copy in copies]))
        return False

    def _put_small(self, key: str, body: Body, digest: Sha256) -> Pin:
        try:
            return self._bucket.put(key, body, digest)
        except ObjectExists:
            return self._our_own(key, len(body))

    def _put_large(
        self, key: str, measured: _Measured, parts: Iterable[Body], expected: Sha256 | None
    ) -> Pin:
        upload = self._bucket.begin(key)
        try:
            sent = self._send_parts(upload, parts)
            _check(measured, expected)
            faults.reach("artifacts.promoting")
            return self._bucket.complete(upload, sent, size_bytes=measured.size_bytes)
        except ObjectExists:
            self._abort(upload)
            return self._our_own(key, measured.size_bytes)
        except BaseException:
            self._abort(upload)
            raise

    def _send_parts(self, upload: Upload, parts: Iterable[Body]) -> list[Any]:
        return [
            self._bucket.put_part(upload, number, body, Sha256.of(sha256(body).digest()))
            for number, body in enumerate(parts, start=1)
        ]

    def _abort(self, upload: Upload) -> None:
        # A failure here leaves litter, which `sweep` finds.
        with suppress(StorageUnavailable):
            self._bucket.abort(upload)

    def _our_own(self, key: str, size_bytes: int) -> Pin:
        """Nobody else knows this key: an earlier try succeeded whose answer was lost."""
        found = self._bucket.find(key)
        if found is None or found.size_bytes != size_bytes:
            raise StorageUnavailable(reason="another object stands in the way", key=key)
        return found.pin


def _check(measured: _Measured, expected: Sha256 | None) -> None:
    if expected is not None and measured.digest != expected:
        raise DigestMismatch(
            declared=expected, measured=measured.digest, size_bytes=measured.size_bytes
        )


def _key(digest: Sha256) -> str:
    return f"blobs/sha256/{digest.hex[:2]}/{digest.hex}/{secrets.token_hex(16)}"


def _is(found: Head, size_bytes: int, pin: Pin) -> bool:
    """Whether this is the object of that size and pin; a row without a pin names none."""
    return found.size_bytes == size_bytes and pin.etag in ("", found.pin.etag)


def _chain(held: list[Body], rest: Iterator[Body]) -> Iterator[Body]:
    """First what is held, which is then held no longer, and then the rest."""
    yield held.pop()
    yield from rest
