"""Browse an archive: list its members, and measure one before it is handed out (step 8).

Whoever calls has the decision about the whole artifact; a member is a part of it and has no
evidence of its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Final, Protocol, Self

from artifacts.domain.archives import (
    ArchiveMalformed,
    ArchiveMemberNotFetchable,
    ArchiveMemberNotFound,
    Member,
)
from artifacts.errors import BlobDamaged
from artifacts.models import Artifact
from artifacts.ports import Archive, BlobReader, BlobStore
from kernel.digest import Sha256

HELD_BYTES: Final = 4 * 1024 * 1024


# An archive of at most so many bytes is measured before each look into it.
MEASURED_BYTES: Final = 64 * 1024 * 1024


class Opener(Protocol):
    """Opens an archive for reading, whatever its kind."""

    def __call__(
        self, reader: BlobReader, *, size_bytes: int
    ) -> AbstractContextManager[Archive]: ...


class OpenedArchive:
    """An archive that is open until `close`, also when no byte of it was ever asked for.

    Raises:
        BlobDamaged: the bytes are not those that were measured; `is_measured` says whether that
            was looked at.
    """

    def __init__(self, *, artifact: Artifact, store: BlobStore, opener: Opener) -> None:
        self._opened = ExitStack()
        blob = artifact.blob
        try:
            opened = store.open(blob.key, size_bytes=blob.size_bytes, pin=blob.pin)
            reader = self._opened.enter_context(opened)
            self.reader: BlobReader = reader
            self.is_measured = blob.size_bytes <= MEASURED_BYTES
            if self.is_measured:
                _require_same(reader, artifact)
            self.archive: Archive = self._opened.enter_context(
                opener(reader, size_bytes=blob.size_bytes)
            )
        except BaseException:
            self._opened.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> bool | None:
        return self._opened.__exit__(*error)  # type: ignore[arg-type] # what `with` gives

    def close(self) -> None:
        """Close the archive and the blob."""
        self._opened.close()


@dataclass(frozen=True, slots=True)
class Measured:
    """A member that was read to its end; `data` is all of it where that is not much."""

    member: Member
    digest: Sha256
    data: bytes | None


def list_members(*, archive: Archive, start: int, limit: int) -> Sequence[Member]:
    """Members from the `start`-th on, in the archive's order.

    Raises:
        ArchiveTooCostly, ArchiveMalformed: the archive cannot be read so far.
    """
    return list(islice(archive.members(), start, start + limit))


def measure_member(*, archive: Archive, path: str) -> Measured:
    """Read the only file of this path to its end, and say what its bytes are.

    Raises:
        ArchiveMemberNotFound: there is none.
        ArchiveMemberNotFetchable: there are several (unpackers choose differently), it is no
            file, it is encrypted, or its path is one that no artifact could have.
        ArchiveTooCostly, ArchiveMalformed: it cannot be read to its end.
    """
    found = [member for member in archive.members() if member.path == path]
    if not found:
        raise ArchiveMemberNotFound(path=path[:200])
    if len(found) > 1:
        raise ArchiveMemberNotFetchable(
            path=path[:200], reason=f"there are {len(found)} of this path"
        )
    [member] = found
    if member.why_not:
        raise ArchiveMemberNotFetchable(path=path[:200], reason=member.why_not)
    measured, held, size_bytes = sha256(), bytearray(), 0
    for chunk in archive.chunks(path):
        measured.update(chunk)
        size_bytes += len(chunk)
        if size_bytes <= HELD_BYTES:
            held += chunk
    if size_bytes != member.size_bytes:
        raise ArchiveMalformed(reason="a member has another size than is said of it")
    is_small = size_bytes <= HELD_BYTES
    return Measured(member, Sha256.of(measured.digest()), bytes(held) if is_small else None)


def again(*, archive: Archive, measured: Measured) -> Iterator[bytes]:
    """The same bytes once more; the last of them only if they are still the same."""
    if measured.data is not None:
        yield measured.data
        return
    once_more, held = sha256(), b""
    for chunk in archive.chunks(measured.member.path):
        if held:
            yield held
        once_more.update(chunk)
        held = chunk
    if Sha256.of(once_more.digest()) != measured.digest:
        raise ArchiveMalformed(reason="a member changed while it was read")
    yield held


def _require_same(reader: BlobReader, artifact: Artifact) -> None:
    measured = sha256()
    for chunk in reader.chunks(0, artifact.blob.size_bytes):
        measured.update(chunk)
    if measured.hexdigest() != artifact.blob.sha256:
        raise BlobDamaged(expected_sha256=artifact.blob.sha256, found_sha256=measured.hexdigest())
