"""How much memory the processes of a running store have: the largest of each kind, over a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

MEBIBYTE: Final = 1024**2
EVERY_SECONDS: Final = 0.2
# What is in the command line of a process of the kind.
KINDS: Final = ("granian", "worker")


def descendants(pid: int) -> Iterator[tuple[int, str]]:
    """Processes below this one, with their command lines."""
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            yield child, Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            yield from descendants(child)


def largest(pid: int) -> dict[str, int]:
    """The PSS in bytes of the largest process of each kind now, below this one."""
    found: dict[str, int] = {}
    for child, command in descendants(pid):
        kind = next((word for word in KINDS if word in command), None)
        if kind is not None:
            found[kind] = max(found.get(kind, 0), _pss(child))
    return found


@contextmanager
def watching(pid: int) -> Iterator[dict[str, int]]:
    """The same at its highest while the block runs; final when it has ended."""
    peaks: dict[str, int] = {}
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(EVERY_SECONDS):
            try:
                now = largest(pid)
            except OSError:
                continue  # a process has ended meanwhile
            for kind, pss in now.items():
                peaks[kind] = max(peaks.get(kind, 0), pss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peaks
    finally:
        stop.set()
        thread.join()


def _pss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024
