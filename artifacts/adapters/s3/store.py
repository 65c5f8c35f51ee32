"""Blobs in a bucket of an S3-compatible server, uploaded through the app.

    blobs/sha256/<aa>/<digest>   what was measured before it was sent, or declared
    blobs/measured/<random>      longer than a part, and measured only when all of it was there

An object appears when it is whole; parts become one only where the key is free. A key is a place,
not a proof: the digest in the blob's row is what was measured.
"""

import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from artifacts.adapters.s3.connection import Bucket, ObjectExists, Upload
from artifacts.errors import BlobMissing, DigestMismatch, StorageUnavailable
from artifacts.ports import StoredBytes
from kernel import faults
from kernel.digest import Sha256

READ_BYTES: Final = 512 * 1024
SMALLEST_PART: Final = 5 * 1024 * 1024  # S3's own limit, on all parts but the last
MOST_PARTS: Final = 10_000


@dataclass(frozen=True, slots=True)
class ObjectReader:
    """An open object, pinned by its ETag: one reader serves any number of ranges."""

    bucket: Bucket
    key: str
    etag: str
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
            with self.bucket.read(self.key, etag=self.etag, start=start, length=length) as answer:
                while left and (chunk := answer.read(min(READ_BYTES, left))):
                    left -= len(chunk)
                    yield chunk
        except (ObjectExists, BlobMissing) as error:
            raise StorageUnavailable(reason="a blob changed while it was read") from error
        if left:
            raise StorageUnavailable(reason="a blob ended early", missing_bytes=left)


@dataclass(slots=True)
class _Measured:
    """Bytes on their way, cut into parts and measured as a whole."""

    chunks: Iterable[bytes]
    part_bytes: int
    whole: Any = field(default_factory=sha256)
    size_bytes: int = 0

    def parts(self) -> Iterator[bytes]:
        """Parts of the same size; the last is what is left, and the first may be empty."""
        pending, is_first = bytearray(), True
        for chunk in self.chunks:
            self.whole.update(chunk)
            self.size_bytes += len(chunk)
            pending += chunk
            while len(pending) > self.part_bytes:
                yield bytes(pending[: self.part_bytes])
                del pending[: self.part_bytes]
                is_first = False
            faults.reach("artifacts.receiving")
        if pending or is_first:
            yield bytes(pending)

    @property
    def digest(self) -> Sha256:
        """Of everything that came so far."""
        return Sha256.of(self.whole.digest())


class S3BlobStore:
    """Implements BlobStore and StagingArea in one bucket.

    Memory: an upload holds two parts at most, of `part_bytes` each.
    """

    def __init__(self, bucket: Bucket, *, part_bytes: int) -> None:
        if part_bytes < SMALLEST_PART:
            raise ValueError(f"a part has at least {SMALLEST_PART} bytes")
        self._bucket = bucket
        self._part_bytes = part_bytes

    def put(self, chunks: Iterable[bytes], *, expected: Sha256 | None) -> StoredBytes:
        measured = _Measured(chunks, self._part_bytes)
        parts = measured.parts()
        first = next(parts)
        second = next(parts, None)
        if second is None:
            _check(measured, expected)
            key = _key(measured.digest)
            faults.reach("artifacts.promoting")
            self._put_small(key, first, measured.digest)
        else:
            key = _key(expected) if expected else f"blobs/measured/{secrets.token_hex(16)}"
            self._put_large(key, measured, _chain(first, second, parts), expected)
        return StoredBytes(measured.digest, measured.size_bytes, key)

    @contextmanager
    def open(self, key: str, *, size_bytes: int) -> Iterator[ObjectReader]:
        if not key.startswith("blobs/") or ".." in key:
            raise BlobMissing(key=key[:300], reason="not a key of this store")
        found = self._bucket.find(key)
        if found is None or found.size_bytes != size_bytes:
            size = found.size_bytes if found else None
            raise BlobMissing(key=key, expected_bytes=size_bytes, found_bytes=size)
        yield ObjectReader(self._bucket, key, found.etag)

    def check(self) -> None:
        key, probe = f"probes/{secrets.token_hex(16)}", secrets.token_bytes(16)
        self._bucket.put(key, probe, Sha256.of(sha256(probe).digest()))
        try:
            found = self._bucket.find(key)
            if found is None:
                raise StorageUnavailable(reason="what was written cannot be found")
            with self._bucket.read(key, etag=found.etag, start=0, length=len(probe)) as answer:
                if answer.read() != probe:
                    raise StorageUnavailable(reason="what was written is not what was read")
        finally:
            self._bucket.remove(key)

    def sweep(self, *, before: datetime) -> int:
        old = [upload for upload, begun_at in self._bucket.uploads() if begun_at < before]
        for upload in old:
            self._bucket.abort(upload)
        return len(old)

    def _put_small(self, key: str, body: bytes, digest: Sha256) -> None:
        try:
            self._bucket.put(key, body, digest)
        except ObjectExists:
            # The bytes in hand were hashed a moment ago; nobody knows that of the old ones, and
            # an identical upload mends them.
            self._bucket.put(key, body, digest, replaces=True)

    def _put_large(
        self, key: str, measured: _Measured, parts: Iterable[bytes], expected: Sha256 | None
    ) -> None:
        upload = self._bucket.begin(key)
        try:
            sent = self._send_parts(upload, parts)
            _check(measured, expected)
            faults.reach("artifacts.promoting")
            self._bucket.complete(upload, sent, size_bytes=measured.size_bytes)
        except ObjectExists:
            self._abort(upload)
            self._require_same(key, measured)
        except BaseException:
            self._abort(upload)
            raise

    def _send_parts(self, upload: Upload, parts: Iterable[bytes]) -> list[Any]:
        return [
            self._bucket.put_part(upload, number, body, Sha256.of(sha256(body).digest()))
            for number, body in enumerate(parts, start=1)
        ]

    def _abort(self, upload: Upload) -> None:
        # A failure here leaves litter, which `sweep` finds.
        with suppress(StorageUnavailable):
            self._bucket.abort(upload)

    def _require_same(self, key: str, measured: _Measured) -> None:
        found = self._bucket.find(key)
        if found is None or found.size_bytes != measured.size_bytes:
            raise StorageUnavailable(reason="a damaged object stands in the way", key=key)


def _check(measured: _Measured, expected: Sha256 | None) -> None:
    if expected is not None and measured.digest != expected:
        raise DigestMismatch(
            declared=expected, measured=measured.digest, size_bytes=measured.size_bytes
        )


def _key(digest: Sha256) -> str:
    return f"blobs/sha256/{digest.hex[:2]}/{digest.hex}"


def _chain(first: bytes, second: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield second
    yield from rest
