"""Blobs in a directory of one local (or POSIX-true network) filesystem.

    incoming/<random>            bytes while they arrive; a crash leaves litter, `sweep` removes it
    blobs/sha256/<aa>/<digest>.<random>   bytes for good, each time under a name of its own

A blob appears under its final name by `link`, which never overwrites, after its bytes are on the
disk; its folder is on the disk before `put` returns. What is visible is whole, and what was
acknowledged survives a power cut. New folders have the rights that the root has.
"""

import errno
import logging
import os
import re
import secrets
from collections.abc import Container, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from stat import S_IMODE, S_ISREG
from typing import Final, NoReturn

from artifacts.errors import BlobMissing, DigestMismatch, StorageFull, StorageUnavailable
from artifacts.ports import RECORD_WITHIN, UNPINNED, Arriving, Copy, Listed, Pin, StoredBytes
from kernel import faults
from kernel.digest import Sha256

logger = logging.getLogger(__name__)

READ_BYTES: Final = 512 * 1024
# EFBIG is the filesystem's or the process's own limit on one file: to the uploader it is no room.
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PAGE: Final = 1000
_KEY: Final = re.compile(r"blobs/sha256/([0-9a-f]{2})/\1[0-9a-f]{62}\.[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class FileReader:
    """An open blob. Reads by position, so that one reader serves any number of ranges."""

    path: str
    descriptor: int

    def chunks(self, start: int, length: int) -> Iterator[bytes]:
        """Bytes [start, start + length), at most 512 KiB at a time.

        Raises:
            StorageUnavailable: the disk failed, or the file became shorter under our hands.
        """
        position, end = start, start + length
        while position < end:
            with _translated():
                chunk = os.pread(self.descriptor, min(READ_BYTES, end - position), position)
            if not chunk:
                raise StorageUnavailable(reason="a blob ended early", at=position, expected=end)
            position += len(chunk)
            yield chunk


class DirectoryBlobStore:
    """Implements BlobStore, Arrivals and Inventory below one folder.

    It makes the folder, closed to others.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._blobs = root / "blobs" / "sha256"
        self._durable: set[Path] = set()

    def put(self, chunks: Iterable[bytes], *, expected: Sha256 | None) -> StoredBytes:
        record_before = datetime.now(UTC) + RECORD_WITHIN
        with self._temporary() as (temporary, descriptor):
            digest, size_bytes = _write(descriptor, chunks)
            if expected is not None and digest != expected:
                raise DigestMismatch(declared=expected, measured=digest, size_bytes=size_bytes)
            with _translated():
                os.fsync(descriptor)
            faults.reach("artifacts.promoting")
            final = self._blobs / digest.hex[:2] / f"{digest.hex}.{temporary.name}"
            self._promote(temporary, final)
        key = str(final.relative_to(self._root))
        return StoredBytes(digest, size_bytes, key, record_before=record_before)

    def merge(self, duplicate: StoredBytes, *, into: StoredBytes) -> StoredBytes:
        """Put the duplicate in the other's place: renaming is atomic, and readers keep the old.

        It was hashed a moment ago and is on the disk, which nobody knows of the old bytes. So an
        identical upload mends a damaged blob, also one that kept its size.
        """
        target = self._path(into.key)
        with _translated(missing=duplicate.key):
            _tell_damage(target, into)
            self._path(duplicate.key).replace(target)
            _fsync_folder(target.parent)
        return into

    @contextmanager
    def open(self, key: str, *, size_bytes: int, pin: Pin = UNPINNED) -> Iterator[FileReader]:  # noqa: ARG002 - nobody else writes here: the key is enough
        path = self._path(key)
        with _translated(missing=key):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            found = os.fstat(descriptor)
            if not S_ISREG(found.st_mode) or found.st_size != size_bytes:
                raise BlobMissing(key=key, expected_bytes=size_bytes, found_bytes=found.st_size)
            yield FileReader(str(path), descriptor)
        finally:
            os.close(descriptor)

    def check(self) -> None:
        probe = secrets.token_bytes(16)
        try:
            with self._temporary() as (_, descriptor), _translated():
                os.write(descriptor, probe)
                os.fsync(descriptor)
                found = os.pread(descriptor, len(probe), 0)
            with _translated():
                self._make_durable(self._blobs)
                os.scandir(self._blobs).close()
        except StorageFull as refusal:
            raise StorageUnavailable(**refusal.facts) from refusal
        if found != probe:
            raise StorageUnavailable(reason="what was written is not what was read")

    def sweep(self, *, before: datetime, busy: Container[str] = ()) -> int:  # noqa: ARG002 - direct uploads need a bucket
        # Made by whoever receives bytes: made here it would belong to the worker's account.
        if not self._incoming.is_dir():
            return 0
        with _translated():
            return sum(_removed(path, before=before) for path in self._incoming.iterdir())

    def arriving(self) -> Iterator[Arriving]:
        if not self._incoming.is_dir():
            return
        with _translated(), os.scandir(self._incoming) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    seen = entry.stat(follow_symlinks=False)
                    begun_at = datetime.fromtimestamp(seen.st_mtime, UTC)
                    yield Arriving(f"incoming/{entry.name}", begun_at, seen.st_size)

    def page(self, *, after: str) -> Sequence[Listed]:
        if not self._blobs.is_dir():
            return []
        found: list[Listed] = []
        with _translated():
            for folder in sorted(self._blobs.iterdir()):
                # "~" stands behind every character of a digest: this folder is behind us.
                if f"{folder.relative_to(self._root)}/~" > after:
                    found += self._listed(folder, after=after)
                if len(found) >= PAGE:
                    break
        return found[:PAGE]

    def remove(self, key: str) -> None:
        path = self._path(key)
        with _translated(), suppress(FileNotFoundError):
            path.unlink()
            _fsync_folder(path.parent)

    def _listed(self, folder: Path, *, after: str) -> list[Listed]:
        """What is in one folder; files that no `put` made are not ours to judge."""
        found = []
        for name in sorted(entry.name for entry in os.scandir(folder)):
            key = f"{folder.relative_to(self._root)}/{name}"
            if key > after and _KEY.fullmatch(key):
                with suppress(FileNotFoundError):
                    seen = (folder / name).lstat()
                    written_at = datetime.fromtimestamp(seen.st_mtime, UTC)
                    found.append(Listed(key, written_at, (Copy(seen.st_size),)))
        return found

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise BlobMissing(key=key[:300], reason="not a key of this store")
        return self._root / key

    @contextmanager
    def _temporary(self) -> Iterator[tuple[Path, int]]:
        """A new file in incoming/, closed and removed at the end, whatever happens."""
        path = self._incoming / secrets.token_hex(16)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        with _translated():
            self._make_durable(self._incoming)
            descriptor = os.open(path, flags, 0o600)
        try:
            yield path, descriptor
        finally:
            os.close(descriptor)
            # A failure here leaves litter, which is no reason to deny what was stored.
            with suppress(OSError):
                path.unlink()

    def _promote(self, temporary: Path, final: Path) -> None:
        """Give whole bytes their final name."""
        with _translated():
            self._make_durable(final.parent)
            os.link(temporary, final)
            _fsync_folder(final.parent)

    def _make_durable(self, folder: Path) -> None:
        """Make a folder below the root, and each of its names durable, once in this process."""
        if folder in self._durable and folder.is_dir():
            return
        missing = [folder, *folder.parents]
        for level in reversed(missing[: missing.index(self._root) + 1]):
            with suppress(FileExistsError):
                level.mkdir(mode=0o700)
                if level != self._root:
                    # As closed as the root: where its group may write, the worker can collect.
                    level.chmod(S_IMODE(self._root.stat().st_mode) & 0o2770)
            _fsync_folder(level.parent)
        self._durable.add(folder)


def _write(descriptor: int, chunks: Iterable[bytes]) -> tuple[Sha256, int]:
    """Write all chunks and measure them. Errors of `chunks` itself pass untranslated."""
    measured, size_bytes = sha256(), 0
    for chunk in chunks:
        measured.update(chunk)
        size_bytes += len(chunk)
        rest = memoryview(chunk)
        while rest:
            with _translated():
                rest = rest[os.write(descriptor, rest) :]
        faults.reach("artifacts.receiving")
    return Sha256.of(measured.digest()), size_bytes


def _tell_damage(path: Path, stored: StoredBytes) -> None:
    """Say so where the file is visibly not what was stored."""
    try:
        found = path.lstat()
        found_bytes = found.st_size if S_ISREG(found.st_mode) else None
    except FileNotFoundError:
        found_bytes = None
    if found_bytes != stored.size_bytes:
        logger.error(
            "damaged blob replaced",
            extra={
                "sha256": stored.digest.hex,
                "found_bytes": found_bytes,
                "size_bytes": stored.size_bytes,
            },
        )


def _removed(path: Path, *, before: datetime) -> bool:
    """Remove what nobody has written to since then; an upload may end while we look."""
    try:
        # Each write moves the time on, so a slow upload is not old.
        is_old = path.lstat().st_mtime < before.timestamp()
        if is_old:
            path.unlink()
    except FileNotFoundError:
        return False
    return is_old


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(*, missing: str | None = None) -> Iterator[None]:
    """Turn the operating system's words into ours; `missing` is the key that is looked for."""
    try:
        yield
    except FileNotFoundError as error:
        if missing is not None:
            raise BlobMissing(key=missing) from error
        _refuse(error)
    except OSError as error:
        _refuse(error)


def _refuse(error: OSError) -> NoReturn:
    reason = errno.errorcode.get(error.errno or 0, "unknown")
    if error.errno in NO_ROOM:
        raise StorageFull(reason=reason) from error
    raise StorageUnavailable(reason=reason) from error
