"""Where a download lands: a file that has no name of its own until it is verified, or is gone."""

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from client.errors import WrongUsage
from client.verification.errors import FileExists
from kernel.digest import Sha256

_PREFIX: Final = ".strongroom-"
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


@dataclass(frozen=True, slots=True)
class Nameless:
    """An open file beside its future place, under a name that nobody takes for it."""

    opened: IO[bytes]
    place: Path


@contextmanager
def nameless(target: Path) -> Iterator[Nameless]:
    """A file beside the target that only its owner reads; gone afterwards, whatever happens.

    Raises:
        WrongUsage: nothing can be written there.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=_PREFIX, suffix=".part", dir=target.parent)
    except OSError as error:
        raise WrongUsage(folder=str(target.parent), reason=error.strerror or "") from error
    place = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as opened:
            yield Nameless(opened, place)
    finally:
        with suppress(FileNotFoundError):
            place.unlink()


def give_name(landed: Nameless, target: Path, *, may_replace: bool) -> None:
    """Give a verified file its name, whole and on the disk.

    Raises:
        FileExists: something is there already, and was left as it is.
    """
    landed.opened.flush()
    os.fchmod(landed.opened.fileno(), 0o666 & ~_umask())
    os.fsync(landed.opened.fileno())
    if may_replace:
        landed.place.replace(target)
    else:
        _link(landed.place, target)
    _keep_folder(target.parent)


def digest_of(file: Path) -> Sha256:
    """The digest of a file's bytes.

    Raises:
        WrongUsage: it cannot be read, or is no file.
    """
    try:
        if not stat.S_ISREG(file.stat().st_mode):  # to open a pipe would wait for its writer
            raise WrongUsage(file=str(file), reason="this is no regular file")
        with file.open("rb") as opened:
            return Sha256(hashlib.file_digest(opened, "sha256").hexdigest())
    except OSError as error:
        raise WrongUsage(file=str(file), reason=error.strerror or str(error)) from error


def _link(place: Path, target: Path) -> None:
    """Unlike a rename, a link never replaces what has appeared there in the meantime."""
    try:
        target.hardlink_to(place)
    except FileExistsError as error:
        raise FileExists(file=str(target)) from error
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        # A file system without links: look, then rename.
        if os.path.lexists(target):
            raise FileExists(file=str(target)) from error
        place.replace(target)


def _umask() -> int:
    """What new files of this process may not have; it can only be read by setting it."""
    current = os.umask(0o077)
    os.umask(current)
    return current


def _keep_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
