"""Where the time goes: samples of a process's stacks while a trial runs, by py-spy."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.bench.arena import Arena
from tests.bench.rows import Measured
from tests.embedded.family import find

SHOWN: Final = 14
RATE: Final = 200
_OURS: Final = ("access/", "artifacts/", "config/", "kernel/", "provenance/")


def program() -> str | None:
    """py-spy, which the development environment brings."""
    return shutil.which("py-spy", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")


def slowest(results: list[Measured], count: int = 2) -> list[Measured]:
    """The rows in which ours is furthest behind, of those whose processes can be watched."""
    watched = [one for one in results if one.row.busy]
    return sorted(watched, key=Measured.ratio)[:count]


def profile(arena: Arena, measured: Measured, number: int) -> str:
    """Run ours once more, watched; the share of samples by function, innermost and within."""
    [trial] = [one for one in measured.row.trials if one.contestant == measured.row.ours]
    stacks: Counter[tuple[str, ...]] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        watchers = [
            _watch(process.pid, Path(folder) / str(process.pid))
            for process in find(arena.instance.home, measured.row.busy)
        ]
        trial.run(number, measured.times[trial.contestant])
        for watcher, _ in watchers:
            watcher.send_signal(signal.SIGINT)
            watcher.wait(timeout=60)
        for _, file in watchers:
            _read(file, stacks)
    return _table(measured.row.name, measured.row.busy, stacks)


def _watch(pid: int, file: Path) -> tuple["subprocess.Popen[bytes]", Path]:
    command = [program() or "py-spy", "record", "--pid", str(pid), "--rate", str(RATE)]
    command += ["--format", "raw", "--output", str(file), "--nonblocking"]
    silent = subprocess.DEVNULL
    return subprocess.Popen(command, stdout=silent, stderr=silent), file


def _read(file: Path, stacks: Counter[tuple[str, ...]]) -> None:
    """Collapsed stacks, one a line: frames from the outermost on, and how often they were seen."""
    if not file.exists():
        return
    for line in file.read_text().splitlines():
        frames, _, count = line.rpartition(" ")
        stacks[tuple(frames.split(";"))] += int(count)


def _table(name: str, busy: str, stacks: Counter[tuple[str, ...]]) -> str:
    whole = sum(stacks.values())
    if not whole:
        return f"{name}: no samples of {busy}"
    inner = _by(stacks, lambda frames: {frames[-1]})
    within = _by(stacks, lambda frames: {one for one in frames if any(our in one for our in _OURS)})
    lines = [f"### {name}: {whole:,} samples of {busy}", "", "| innermost | % | within ours | % |"]
    lines.append("|---|---:|---|---:|")
    for (one, own), (other, below) in zip(inner, within, strict=False):
        lines.append(f"| {one} | {100 * own / whole:.0f} | {other} | {100 * below / whole:.0f} |")
    return "\n".join(lines)


def _by(
    stacks: Counter[tuple[str, ...]], names: Callable[[tuple[str, ...]], set[str]]
) -> list[tuple[str, int]]:
    shares: Counter[str] = Counter()
    for frames, count in stacks.items():
        for one in names(frames):
            shares[_short(one)] += count
    return shares.most_common(SHOWN)


def _short(frame: str) -> str:
    """`function (file)` without the line, and without where this checkout is."""
    function, _, place = frame.partition(" (")
    file = place.rstrip(")").rpartition(":")[0] or place.rstrip(")")
    return f"`{function}` {'/'.join(Path(file).parts[-2:])}" if file else f"`{function}`"
