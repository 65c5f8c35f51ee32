"""The children's logs: one file each, a few starts long."""

from pathlib import Path
from typing import BinaryIO, Final

LARGEST_BYTES: Final = 8 * 1024 * 1024
TAIL_LINES: Final = 30
TAIL_BYTES: Final = 16 * 1024


def log_path(folder: Path, name: str) -> Path:
    """Where a child's log lies."""
    return folder / f"{name}.log"


def open_log(folder: Path, name: str) -> BinaryIO:
    """Open a log for appending; a large one moves to `.1` first, where one old one is kept."""
    path = log_path(folder, name)
    if path.exists() and path.stat().st_size > LARGEST_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def tail(folder: Path, name: str) -> str:
    """The last lines of a log."""
    path = log_path(folder, name)
    with path.open("rb") as log:
        log.seek(max(0, path.stat().st_size - TAIL_BYTES))
        lines = log.read().decode(errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in lines[-TAIL_LINES:]) + f"\n\n(all of it: {path})"
