"""Tar archives, plain and compressed. There is no directory: each look goes from the beginning."""

import tarfile
from collections.abc import Callable, Iterator
from typing import Final

from artifacts.adapters.archives.blob_file import BlobFile
from artifacts.adapters.archives.expansion import Expanded
from artifacts.domain.archives import Limits, Member, MemberKind

_READ_BYTES: Final = 256 * 1024


class TarArchive:
    """Implements Archive; `new` gives the bytes from their beginning, as often as it is asked."""

    def __init__(
        self, new: Callable[[], BlobFile | Expanded], *, kind: str, limits: Limits
    ) -> None:
        self._new = new
        self._limits = limits
        self.format = f"tar.{kind}" if kind else "tar"

    def members(self) -> Iterator[Member]:
        return (_member(info) for _tar, info in self._walk())

    def chunks(self, path: str) -> Iterator[bytes]:
        for tar, info in self._walk():
            content = tar.extractfile(info) if info.name == path and info.isreg() else None
            while content is not None and (chunk := content.read(_READ_BYTES)):
                yield chunk

    def stored_at(self, path: str) -> int | None:
        del path  # only a look through all of it would tell
        return None

    def _walk(self) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
        count = 0
        # Names that are no UTF-8 get lone surrogates, which no path may have.
        with tarfile.TarFile(fileobj=self._new(), mode="r") as tar:
            while (info := tar.next()) is not None:
                count += 1
                self._limits.require("members", count)
                yield tar, info
                tar.members = []  # type: ignore[attr-defined] # tarfile's own list, which keeps all


def _member(info: tarfile.TarInfo) -> Member:
    kind = MemberKind.OTHER
    if info.isreg():
        kind = MemberKind.FILE
    elif info.isdir():
        kind = MemberKind.DIRECTORY
    elif info.issym():
        kind = MemberKind.SYMLINK
    return Member(info.name, kind, info.size, is_sparse=bool(info.issparse()), target=info.linkname)
