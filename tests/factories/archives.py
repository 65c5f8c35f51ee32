"""Archives with these files, made in memory."""

import bz2
import gzip
import io
import lzma
import tarfile
from collections.abc import Callable

PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "tar": bytes,
    "tar.gz": gzip.compress,
    "tar.xz": lzma.compress,
    "tar.bz2": bz2.compress,
}


def tarred(files: dict[str, bytes], kind: str = "tar", **more: tarfile.TarInfo) -> bytes:
    """A tar, packed as its kind says; `more` are entries that are no files."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
        for info in more.values():
            archive.addfile(info)
    return PACKERS[kind](made.getvalue())
