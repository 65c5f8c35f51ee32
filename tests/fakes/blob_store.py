"""An honest blob store in memory: it keeps every promise of the port except outliving us."""

import secrets
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256

from artifacts.errors import BlobMissing, DigestMismatch, StorageFull, StorageUnavailable
from artifacts.ports import UNPINNED, Arriving, Copy, Listed, ObjectVersion, Pin, StoredBytes
from kernel.digest import Sha256


@dataclass(frozen=True, slots=True)
class MemoryReader:
    data: bytes
    path: None = None

    def chunks(self, start: int, length: int) -> Iterator[bytes]:
        if start + length > len(self.data):
            raise StorageUnavailable(reason="a blob ended early")
        for position in range(start, start + length, 1000):
            yield self.data[position : min(position + 1000, start + length)]


@dataclass(slots=True)
class MemoryBlobStore:
    """`capacity` bytes at most; `is_down` makes everything unavailable; `left` is litter.

    As a bucket with object lock it holds objects too; `is_deaf` to whoever asks for that.
    """

    capacity: int = 64 * 1024 * 1024
    is_down: bool = False
    blobs: dict[str, bytes] = field(default_factory=dict)
    left: list[Arriving] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    is_deaf: bool = False
    written_at: datetime = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)

    def put(self, chunks: Iterable[bytes], *, expected: Sha256 | None) -> StoredBytes:
        self.check()
        received = bytearray()
        for chunk in chunks:
            received += chunk
            if sum(map(len, self.blobs.values())) + len(received) > self.capacity:
                raise StorageFull(reason="capacity")
        digest = Sha256.of(sha256(received).digest())
        if expected is not None and digest != expected:
            raise DigestMismatch(declared=expected, measured=digest, size_bytes=len(received))
        key = f"blobs/sha256/{digest.hex[:2]}/{digest.hex}.{secrets.token_hex(16)}"
        self.blobs[key] = bytes(received)
        return StoredBytes(digest, len(received), key)

    def merge(self, duplicate: StoredBytes, *, into: StoredBytes) -> StoredBytes:
        self.check()
        if duplicate.key not in self.blobs:
            raise BlobMissing(key=duplicate.key)
        self.blobs[into.key] = self.blobs.pop(duplicate.key)
        return into

    def page(self, *, after: str) -> Sequence[Listed]:
        self.check()
        keys = [key for key in sorted(self.blobs) if key > after][:3]
        return [Listed(key, self.written_at, (Copy(len(self.blobs[key])),)) for key in keys]

    def arriving(self) -> Iterator[Arriving]:
        self.check()
        yield from self.left

    def sweep(self, *, before: datetime, busy: Container[str] = ()) -> int:
        self.check()
        gone = [one for one in self.left if one.begun_at < before and one.key not in busy]
        self.left = [one for one in self.left if one not in gone]
        return len(gone)

    def are_held(self, objects: Sequence[ObjectVersion]) -> Sequence[bool]:
        self.check()
        return [one.key in self.held for one in objects]

    def hold(self, objects: Sequence[ObjectVersion]) -> Sequence[bool]:
        there = [one.key in self.blobs and not self._refuses for one in objects]
        self.held |= {one.key for one, is_there in zip(objects, there, strict=True) if is_there}
        return there

    def release(self, objects: Sequence[ObjectVersion]) -> Sequence[bool]:
        if not self._refuses:
            self.held -= {one.key for one in objects}
        return [not self._refuses for _one in objects]

    @property
    def _refuses(self) -> bool:
        return self.is_down or self.is_deaf

    def remove(self, key: str) -> None:
        self.check()
        if key in self.held:
            raise StorageUnavailable(reason="a legal hold of the bucket is on it")
        self.blobs.pop(key, None)

    @contextmanager
    def open(self, key: str, *, size_bytes: int, pin: Pin = UNPINNED) -> Iterator[MemoryReader]:  # noqa: ARG002 - as in a directory
        self.check()
        data = self.blobs.get(key)
        if data is None or len(data) != size_bytes:
            raise BlobMissing(key=key)
        yield MemoryReader(data)

    def check(self) -> None:
        if self.is_down:
            raise StorageUnavailable(reason="down")
