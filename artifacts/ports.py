"""What artifacts need from outside: a place for bytes."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kernel.digest import Sha256


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """Bytes that are safely stored: measured on the way in, under a key that never changes."""

    digest: Sha256
    size_bytes: int
    key: str


class BlobReader(Protocol):
    """Open bytes. Closing is the caller's, by `with`."""

    @property
    def path(self) -> str | None:
        """A local file that holds exactly these bytes, where there is one."""
        ...

    def chunks(self, start: int, length: int) -> Iterator[bytes]:
        """Bytes [start, start + length), in pieces of bounded size."""
        ...


class BlobStore(Protocol):
    """Bytes in, bytes out. What `put` acknowledged survives a crash of process and machine."""

    def put(self, chunks: Iterable[bytes], *, expected: Sha256 | None) -> StoredBytes:
        """Hash and store the bytes in constant memory; durable when this returns.

        Nothing becomes visible before all of it is there and agrees with `expected`. The same
        bytes twice are stored once. If `chunks` raises, nothing remains and it propagates.

        Raises:
            DigestMismatch: the bytes do not have the expected digest.
            StorageFull: there is no room for them.
            StorageUnavailable: the store cannot be written now.
        """
        ...

    def open(self, key: str, *, size_bytes: int) -> AbstractContextManager[BlobReader]:
        """Open stored bytes for reading.

        Raises:
            BlobMissing: nothing is stored under this key, or not with this size.
            StorageUnavailable: the store cannot be read now.
        """
        ...

    def check(self) -> None:
        """Raise StorageUnavailable unless the store can be written and read now (/readyz)."""
        ...


class StagingArea(Protocol):
    """Where a store keeps bytes while they arrive; crashes leave litter there."""

    def sweep(self, *, before: datetime) -> int:
        """Remove what nobody has written to since then, and say how much there was.

        Raises:
            StorageUnavailable: the place cannot be swept now.
        """
        ...
