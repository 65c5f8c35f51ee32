"""Which files are meant, and which path each gets in the store.

Patterns are read from the working directory, as the shell reads them; paths are relative to a
root. A file outside of the root is refused, also one that a link inside leads to.
"""

import glob
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Final

from artifacts.domain.names import parse_path
from client.errors import FileChanged, WrongUsage
from kernel.digest import Sha256

MOST_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class Meant:
    """A file on the disk, and its path in the store."""

    path: str
    file: Path


@dataclass(frozen=True, slots=True)
class Hashed:
    """The same with what it holds."""

    path: str
    file: Path
    size_bytes: int
    digest: Sha256


def files_meant(patterns: Sequence[str], *, root: Path, folder: Path) -> list[Meant]:
    """Every file that the patterns mean, once, by path. A folder means all that is in it.

    Raises:
        WrongUsage: a pattern means nothing, or something that is no file below the root.
        UnsafePath: the store would not take a path.
    """
    found: dict[Path, None] = {}
    empty = []
    for pattern in patterns:
        matching = _matching(pattern, folder)
        if not matching:
            empty.append(pattern)
        found.update(dict.fromkeys(matching))
    if empty:
        raise WrongUsage(patterns=empty, reason="no file matches", folder=str(folder))
    real_root = root.resolve()
    meant = [_meant(file, root=_absolute(root), real_root=real_root) for file in found]
    return sorted(meant, key=lambda one: one.path)


def hash_files(
    meant: Sequence[Meant], *, jobs: int, on_bytes: Callable[[int], None]
) -> list[Hashed]:
    """Hash every file, several at once; the first that cannot be read ends it.

    Raises:
        WrongUsage: a file cannot be read.
        FileChanged: a file grew or shrank while it was read.
    """
    pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="hash")
    try:
        return list(pool.map(lambda one: _hashed(one, on_bytes), meant))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def size_of(meant: Sequence[Meant]) -> int:
    """How much there is to hash."""
    return sum(one.file.stat().st_size for one in meant)


def _matching(pattern: str, folder: Path) -> list[Path]:
    named = folder / pattern
    if named.is_dir():
        return _files(pattern="**", folder=named, with_hidden=True)
    if named.exists() or named.is_symlink():
        return [_absolute(named)]
    return _files(pattern=pattern, folder=folder, with_hidden=False)


def _files(*, pattern: str, folder: Path, with_hidden: bool) -> list[Path]:
    """As the shell does; pathlib's own globs find hidden files, and stop at absolute patterns."""
    names = glob.glob(pattern, root_dir=folder, recursive=True, include_hidden=with_hidden)  # noqa: PTH207 - see above
    return [file for name in sorted(names) if not (file := _absolute(folder / name)).is_dir()]


def _meant(file: Path, *, root: Path, real_root: Path) -> Meant:
    try:
        relative = file.relative_to(root)
    except ValueError:
        raise WrongUsage(file=str(file), root=str(root), reason="outside of the root") from None
    real = file.resolve()
    if not real.is_relative_to(real_root):
        raise WrongUsage(file=str(file), root=str(root), reason="a link that leads out of the root")
    if not real.is_file():
        reason = "no regular file" if real.exists() else "a link that leads nowhere"
        raise WrongUsage(file=str(file), reason=reason)
    return Meant(parse_path(relative.as_posix()), file)


def _absolute(path: Path) -> Path:
    """By its words alone: a link keeps the name that the person gave."""
    return Path(os.path.normpath(path.absolute()))


def _hashed(meant: Meant, on_bytes: Callable[[int], None]) -> Hashed:
    try:
        with meant.file.open("rb") as opened:
            before = os.fstat(opened.fileno())
            digest = file_digest(opened, "sha256")
            after = os.fstat(opened.fileno())
            read = opened.tell()
    except OSError as error:
        raise WrongUsage(file=str(meant.file), reason=error.strerror or str(error)) from error
    if read != before.st_size or before.st_size != after.st_size:
        raise FileChanged(
            file=str(meant.file), first_bytes=before.st_size, then_bytes=after.st_size
        )
    on_bytes(read)
    return Hashed(meant.path, meant.file, read, Sha256(digest.hexdigest()))
