"""Which processes belong to an instance, and how none of them outlives it.

Each child asks the kernel for a signal when its parent dies, carries the instance's marker in
its environment, and falls to the supervisor (a subreaper) when a process in between is killed.
"""

import ctypes
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

MARKER: Final = "EMBEDDED_INSTANCE"

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
_POSTGRES: Final = "postgres"
_PATIENCE: Final = 0.05

# Loaded before any fork: between fork and exec nothing may be imported.
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Lineage:
    """What marks an instance's processes: `marker` is the value, or the start of it.

    PostgreSQL's backends write their titles over their environment; they are known by the
    folder that they work in.
    """

    marker: str
    cluster: Path

    def members(self) -> list[psutil.Process]:
        """The living processes that belong to the instance, without this one."""
        others = (process for process in psutil.process_iter() if process.pid != os.getpid())
        return [process for process in others if self._is_member(process)]

    def end(self, *, grace_seconds: float) -> int:
        """Ask all members to end, kill those that have not after the grace; say how many."""
        asked: set[int] = set()
        deadline = time.monotonic() + grace_seconds
        while members := self.members():
            for process in members:
                if time.monotonic() >= deadline:
                    _signal(process, signal.SIGKILL)
                elif process.pid not in asked:
                    _signal(process, _polite_signal(process))
                asked.add(process.pid)
            time.sleep(_PATIENCE)
        return len(asked)

    def _is_member(self, process: psutil.Process) -> bool:
        try:
            if process.environ().get(MARKER, "").startswith(self.marker):
                return True
            return process.name() == _POSTGRES and process.cwd() == str(self.cluster)
        except (psutil.Error, OSError):  # gone, a zombie, or another user's
            return False


def die_with_parent(death_signal: int) -> None:
    """Ask the kernel for this signal when the parent dies. Called between fork and exec.

    After `become_unprivileged`: a change of credentials forgets the request.
    """
    if sys.platform.startswith("linux"):
        _LIBC.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies."""
    if sys.platform.startswith("linux"):
        _LIBC.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _polite_signal(process: psutil.Process) -> int:
    """SIGTERM would make PostgreSQL wait for its clients."""
    try:
        return signal.SIGINT if process.name() == _POSTGRES else signal.SIGTERM
    except psutil.Error:
        return signal.SIGTERM


def _signal(process: psutil.Process, number: int) -> None:
    try:
        process.send_signal(number)
    except psutil.Error:
        return  # it has ended by itself
