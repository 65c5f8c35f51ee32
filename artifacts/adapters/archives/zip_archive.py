"""Zip archives: wheels, jars, and plain zips. The directory at the end is what counts."""

import stat
import struct
from collections.abc import Iterator
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from artifacts.adapters.archives.blob_file import BlobFile
from artifacts.domain.archives import ArchiveMalformed, Limits, Member, MemberKind

_READ_BYTES: Final = 256 * 1024
_ENCRYPTED: Final = 0x1 | 0x40
_LOCAL_HEADER: Final = struct.Struct("<4s22xHH")


class ZipArchive:
    """Implements Archive."""

    format = "zip"

    def __init__(self, file: BlobFile, limits: Limits) -> None:
        self._file = file
        self._limits = limits
        self._zip = ZipFile(file)
        limits.require("members", len(self._zip.infolist()))

    def members(self) -> Iterator[Member]:
        return map(_member, self._zip.infolist())

    def chunks(self, path: str) -> Iterator[bytes]:
        info = self._info(path)
        if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise NotImplementedError("another compression")
        expanded = 0
        with self._zip.open(info) as content:
            while chunk := content.read(_READ_BYTES):
                expanded += len(chunk)
                self._limits.require_expanded(expanded, packed=info.compress_size)
                self._file.check_time()
                yield chunk
        if expanded != info.file_size:
            raise ArchiveMalformed(reason="a member has another size than the directory says")

    def stored_at(self, path: str) -> int | None:
        info = self._info(path)
        if info.compress_type != ZIP_STORED or info.compress_size != info.file_size:
            return None
        self._file.seek(info.header_offset)
        signature, name, extra = _LOCAL_HEADER.unpack(self._file.read(_LOCAL_HEADER.size))
        if signature != b"PK\x03\x04":
            raise ArchiveMalformed(reason="a member is not where the directory says")
        return int(info.header_offset + _LOCAL_HEADER.size + name + extra)

    def _info(self, path: str) -> ZipInfo:
        return next(info for info in self._zip.infolist() if info.orig_filename == path)


def _member(info: ZipInfo) -> Member:
    mode = info.external_attr >> 16
    kind = MemberKind.FILE
    if info.is_dir():
        kind = MemberKind.DIRECTORY
    elif stat.S_ISLNK(mode):
        kind = MemberKind.SYMLINK
    elif stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        kind = MemberKind.OTHER
    # Not `filename`, which zipfile has repaired.
    return Member(
        info.orig_filename, kind, info.file_size, is_encrypted=bool(info.flag_bits & _ENCRYPTED)
    )
