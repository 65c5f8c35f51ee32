"""What artifacts need from outside: a place for bytes."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from artifacts.domain.archives import Member
from kernel.digest import Sha256


@dataclass(frozen=True, slots=True)
class Pin:
    """What tells exactly these bytes from others under their key; empty where the key is enough."""

    etag: str = ""
    version_id: str = ""


UNPINNED: Final = Pin()

# From the first byte. Litter is a day old at least: the rest is for clocks that do not agree.
RECORD_WITHIN: Final = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class StoredBytes:
    """Bytes that are safely stored: measured on the way in, under a key that never changes.

    A row must name them before `record_before`, or a collector may take them for litter. None
    where something else protects them.
    """

    digest: Sha256
    size_bytes: int
    key: str
    pin: Pin = UNPINNED
    record_before: datetime | None = None


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

        Nothing becomes visible before all of it is there and agrees with `expected`. Every call
        has a key of its own, which was never used before and never will be again: a collector
        can only remove what it had decided about. If `chunks` raises, nothing remains and it
        propagates.

        Raises:
            DigestMismatch: the bytes do not have the expected digest.
            StorageFull: there is no room for them.
            StorageUnavailable: the store cannot be written now.
        """
        ...

    def merge(self, duplicate: StoredBytes, *, into: StoredBytes) -> StoredBytes:
        """Keep one of two copies of the same bytes, and say which: the other was given up.

        `into`, unless it is damaged and cannot be mended in place. Then it is the duplicate, and
        the caller has to refer to that one from now on. The duplicate was measured a moment ago.

        Raises:
            BlobMissing: the duplicate is gone already.
            StorageUnavailable: it cannot be done now; both copies may still be there.
        """
        ...

    def open(
        self, key: str, *, size_bytes: int, pin: Pin = UNPINNED
    ) -> AbstractContextManager[BlobReader]:
        """Open stored bytes for reading; with a pin, exactly those that it was given for.

        Raises:
            BlobMissing: nothing is stored under this key, or not with this size, or other bytes.
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

    def url(self, stored: StoredBytes, attachment: Attachment) -> str:
        """An address that answers with these bytes and says this of them; ranges work.

        Of a versioned bucket it is the measured version's, whatever has been put there since.

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


@dataclass(frozen=True, slots=True)
class Arriving:
    """Bytes that were begun and are no blob: nobody can read them, and they take room."""

    key: str
    begun_at: datetime
    size_bytes: int


class StagingArea(Protocol):
    """Where a store keeps bytes while they arrive; crashes leave litter there."""

    def sweep(self, *, before: datetime, busy: Container[str] = ()) -> int:
        """Remove what nobody has written to since then, and say how much there was.

        The keys in `busy` stay, whatever their age: a direct upload may take days.

        Raises:
            StorageUnavailable: the place cannot be swept now.
        """
        ...


class Arrivals(StagingArea, Protocol):
    """A staging area that tells what is in it, for whoever compares a store with its rows."""

    def arriving(self) -> Iterator[Arriving]:
        """What is there now, also what has long been given up; in any order, never as a list.

        Raises:
            StorageUnavailable: the place cannot be read now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Copy:
    """One version of what is under a key, with its pin; a directory has one version of each."""

    size_bytes: int
    pin: Pin = UNPINNED
    is_newest: bool = True

    def is_of(self, size_bytes: int, pin: Pin) -> bool:
        """Whether the store says that it is the very copy that was measured."""
        is_named = self.pin.version_id == pin.version_id if pin.version_id else self.is_newest
        return is_named and self.size_bytes == size_bytes and pin.etag in ("", self.pin.etag)


@dataclass(frozen=True, slots=True)
class Listed:
    """A key that something is stored under, when that was last written, and what there is of it."""

    key: str
    written_at: datetime
    copies: tuple[Copy, ...] = ()

    @property
    def size_bytes(self) -> int:
        """What it costs: all its versions."""
        return sum(copy.size_bytes for copy in self.copies)


class Inventory(Protocol):
    """What a store holds, whoever put it there; for the collector and who compares it."""

    def page(self, *, after: str) -> Sequence[Listed]:
        """Up to 1,000 keys behind this one, in the order of their bytes; nothing at the end.

        Raises:
            StorageUnavailable: the store cannot be listed now.
        """
        ...

    def remove(self, key: str) -> None:
        """Remove what is under the key for good, with all its versions; nothing is no trouble.

        Raises:
            StorageUnavailable: it cannot be removed now, or must not be; some may be left.
        """
        ...


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """Exactly these bytes under this key, whatever is put there later."""

    key: str
    pin: Pin = UNPINNED


class ObjectHolds(Protocol):
    """A bucket's own legal holds: whoever may write there removes nothing that has one.

    What was not done, because it is gone or the bucket does not let us, is `False` in the answer.
    """

    def are_held(self, objects: Sequence[ObjectVersion]) -> Sequence[bool]:
        """Which of them are held, whoever asked for it; what is gone is not.

        Raises:
            StorageUnavailable: the bucket cannot be asked now.
        """
        ...

    def hold(self, objects: Sequence[ObjectVersion]) -> Sequence[bool]:
        """Hold them, and say which are; again is harmless."""
        ...

    def release(self, objects: Sequence[ObjectVersion]) -> Sequence[bool]:
        """Hold them no longer, and say of which that is so; what is gone is no trouble."""
        ...


@dataclass(frozen=True, slots=True)
class Begun:
    """A direct upload that was begun: where its bytes will stand, and its name in the store."""

    key: str
    upload_id: str


@dataclass(frozen=True, slots=True)
class SignedPart:
    """Where the bytes of one part go, by `PUT` with exactly these headers, until then."""

    number: int
    url: str
    headers: Mapping[str, str]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ArrivedPart:
    """A part that the store has; the digest is the one that its address was signed for."""

    number: int
    size_bytes: int
    digest: Sha256 | None


class Transfer(Protocol):
    """One direct upload, by whoever holds its name."""

    def sign(self, parts: Mapping[int, Sha256], *, now: datetime) -> Sequence[SignedPart]:
        """Addresses for these parts (from 1); the store takes no other bytes there.

        Signing a part again is harmless, and the only way to repeat one.
        """
        ...

    def arrived(self) -> Sequence[ArrivedPart] | None:
        """The parts that the store has, in order; None when it knows no such upload any more.

        Raises:
            StorageUnavailable: the store cannot be asked now.
        """
        ...

    def complete(self, *, size_bytes: int) -> Pin:
        """Make one object of everything that arrived, and freeze it. Again is harmless.

        From now on nobody can change it. An unclear answer is settled by looking.

        Raises:
            BlobMissing: neither upload nor object is there.
            StorageUnavailable: the store cannot do it now.
        """
        ...

    def abort(self) -> None:
        """Give up what has arrived; what is gone already is no trouble.

        Raises:
            StorageUnavailable: the store cannot do it now; a sweep will.
        """
        ...


class DirectUploads(Protocol):
    """Bytes that go from the client to the store, and not through us."""

    def begin(self, declared: Sha256) -> Begun:
        """Begin one, under a key of its own: the digest in it is only a claim.

        Raises:
            StorageUnavailable: the store cannot be written now.
        """
        ...

    def resume(self, begun: Begun) -> Transfer:
        """The upload of that name."""
        ...


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a store was tried for: whether it does it, and what was seen."""

    name: str
    holds: bool
    seen: str


class CapabilityProbe(Protocol):
    """Tries a store for what it promises, and leaves nothing behind."""

    def probe(self) -> Sequence[Finding]:
        """Everything that was tried, also what could not be.

        Raises:
            StorageUnavailable: the store cannot be reached at all.
        """
        ...
