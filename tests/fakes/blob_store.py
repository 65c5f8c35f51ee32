"""An honest blob store in memory: it keeps every promise of the port except outliving us."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from artifacts.errors import BlobMissing, DigestMismatch, StorageFull, StorageUnavailable
from artifacts.ports import StoredBytes
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
    """`capacity` bytes at most; `is_down` makes everything unavailable."""

    capacity: int = 64 * 1024 * 1024
    is_down: bool = False
    blobs: dict[str, bytes] = field(default_factory=dict)

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
        key = f"blobs/sha256/{digest.hex[:2]}/{digest.hex}"
        self.blobs[key] = bytes(received)
        return StoredBytes(digest, len(received), key)

    @contextmanager
    def open(self, key: str, *, size_bytes: int) -> Iterator[MemoryReader]:
        self.check()
        data = self.blobs.get(key)
        if data is None or len(data) != size_bytes:
            raise BlobMissing(key=key)
        yield MemoryReader(data)

    def check(self) -> None:
        if self.is_down:
            raise StorageUnavailable(reason="down")
