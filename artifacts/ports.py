"""What artifacts need from outside: a place for bytes."""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from artifacts.domain.archives import Member
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


@dataclass(frozen=True, slots=True)
class Attachment:
    """What an answer says of the bytes it carries: the headers' values."""

    disposition: str
    content_type: str


class ReadAddresses(Protocol):
    """Addresses at which stored bytes can be read without us, for a minute at most."""

    def url(self, key: str, attachment: Attachment) -> str:
        """An address that answers with these bytes and says this of them; ranges work.

        Raises:
            StorageUnavailable: there are no credentials to sign it with.
        """
        ...


@dataclass(frozen=True, slots=True)
class DownloadEntry:
    """One answer to somebody who asked for an artifact's bytes; fields as in the table."""

    id: UUID
    at: datetime
    project_id: UUID
    build_id: UUID
    artifact_id: UUID
    path: str
    member: str
    sha256: str
    actor: str
    address: str | None
    way: str
    byte_range: str
    verdict: str
    reason: str
    decision: str
    request_id: str


class DownloadLog(Protocol):
    """Remembers who was given what."""

    def add(self, entry: DownloadEntry) -> None:
        """Take the entry over; it is written down within a second, and at the process's end.

        Raises:
            DownloadLogUnavailable: so many wait to be written that there is no room.
        """
        ...


class Archive(Protocol):
    """An artifact that has members. All that it says is its maker's word.

    Each method raises ArchiveMalformed where it contradicts itself, and ArchiveTooCostly where
    the answer is more work than a request may cause.
    """

    @property
    def format(self) -> str:
        """What it is, as its usual file name ends."""
        ...

    def members(self) -> Iterator[Member]:
        """Every entry in the archive's order, also those that cannot be fetched."""
        ...

    def chunks(self, path: str) -> Iterator[bytes]:
        """The contents of the one file of this path, in pieces of bounded size."""
        ...

    def stored_at(self, path: str) -> int | None:
        """Where in the artifact these contents stand as they are; None where they do not."""
        ...


class StagingArea(Protocol):
    """Where a store keeps bytes while they arrive; crashes leave litter there."""

    def sweep(self, *, before: datetime) -> int:
        """Remove what nobody has written to since then, and say how much there was.

        Raises:
            StorageUnavailable: the place cannot be swept now.
        """
        ...
