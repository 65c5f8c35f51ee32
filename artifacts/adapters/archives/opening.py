"""Open a blob as the archive that its first bytes say it is; its name says nothing."""

import lzma
import struct
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from zipfile import BadZipFile

from artifacts.adapters.archives.blob_file import BlobFile
from artifacts.adapters.archives.expansion import Expanded
from artifacts.adapters.archives.tar_archive import TarArchive
from artifacts.adapters.archives.zip_archive import ZipArchive
from artifacts.domain.archives import ArchiveMalformed, ArchiveTooCostly, Limits, NotAnArchive
from artifacts.ports import Archive, BlobReader
from kernel.errors import Refusal

_COMPRESSED: Final = {b"\x1f\x8b": "gz", b"\xfd7zXZ\x00": "xz", b"BZh": "bz2"}
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_SEEN: Final = ["zip", "tar", "tar.gz", "tar.xz", "tar.bz2"]
# What zipfile, tarfile and the decompressors raise at bytes that contradict themselves.
_MALFORMED: Final = (
    BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    ArithmeticError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RecursionError,
    ValueError,
)


@contextmanager
def open_archive(reader: BlobReader, *, size_bytes: int, limits: Limits) -> Iterator[Archive]:
    """Implements OpenArchive: whatever goes wrong within is a refusal."""
    with _translated():
        yield _opened(reader, size_bytes, limits)


def _opened(reader: BlobReader, size_bytes: int, limits: Limits) -> Archive:
    def new() -> BlobFile:
        return BlobFile(reader, size_bytes=size_bytes, limits=limits)

    first = new().read(min(512, size_bytes))
    if first.startswith(_ZIP):
        return ZipArchive(new(), limits)
    kind = next((kind for magic, kind in _COMPRESSED.items() if first.startswith(magic)), "")
    if kind:

        def expanded() -> Expanded:
            return Expanded(new(), kind=kind, limits=limits)

        _require_tar(expanded().read(512), kind)
        return TarArchive(expanded, kind=kind, limits=limits)
    _require_tar(first, "")
    return TarArchive(new, kind="", limits=limits)


def _require_tar(first: bytes, kind: str) -> None:
    if first[257:262] != b"ustar":
        raise NotAnArchive(
            expected=_SEEN, found=f"something else, packed as {kind}" if kind else ""
        )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except Refusal:
        raise
    except MemoryError as error:
        raise ArchiveTooCostly(limit="memory") from error
    except _MALFORMED as error:
        raise ArchiveMalformed(reason=type(error).__name__) from error
