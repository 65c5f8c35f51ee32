"""The supervisor: starts children, starts them again when they die, and ends all of them.

One thread and one loop. The kernel sends a child's death signal when the *thread* that started
it ends, and a fork is only safe while there is one.
"""

import os
import select
import signal
import socket
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, Self

import psutil

from config.embedded.lineage import MARKER, Lineage, adopt_orphans, die_with_parent
from config.embedded.logs import open_log, tail
from config.embedded.programs import Program, python
from config.embedded.unprivileged import become_unprivileged

TICK_SECONDS: Final = 1.0
POLL_SECONDS: Final = 0.05
DEATHS: Final = 5
DEATHS_WITHIN_SECONDS: Final = 60.0
FIRST_BACKOFF_SECONDS: Final = 0.2
STEADY_SECONDS: Final = 2.0
GUARD_SECONDS: Final = 10.0
SAME_REQUEST_SECONDS: Final = 1.0
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


class StopRequested(Exception):
    """Someone asked the supervisor to stop, in the middle of a start."""


class ProgramFailed(Exception):
    """A program keeps dying, does not come up, or said no; the text ends with its log's tail."""


@dataclass(slots=True)
class _Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    start_at: float = 0.0
    started_at: float = 0.0
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))
    is_coming_back: bool = False


class Supervisor:
    """Use as a context manager: leaving it ends every child, in the reverse order of starting."""

    def __init__(self, *, folder: Path, logs: Path, lineage: Lineage, say: Say) -> None:
        self._folder = folder
        self._logs = logs
        self._lineage = lineage
        self._say = say
        self._children: dict[str, _Child] = {}
        self._stop_asked_at: float | None = None
        self._is_impatient = False
        self._wake, self._waker = socket.socketpair()
        self._guard_pipe = os.pipe()

    def __enter__(self) -> Self:
        for end in (self._wake, self._waker):
            end.settimeout(0)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in _STOP_SIGNALS:
            signal.signal(number, self._request_stop)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # wakes the loop
        adopt_orphans()
        self._start_guard()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._stop_all()
        signal.set_wakeup_fd(-1)

    def start(self, programs: Iterable[Program]) -> None:
        """Start them at once; `wait_until_up` waits."""
        for program in programs:
            child = self._children[program.name] = _Child(program)
            self._launch(child)

    def wait_until_up(self, programs: Sequence[Program], *, seconds: float) -> None:
        """Wait until each says that it is up.

        Raises:
            ProgramFailed: one keeps dying, or is not up in time.
            StopRequested: someone asked to stop.
        """
        deadline = time.monotonic() + seconds
        waiting = list(programs)
        while waiting:
            waiting = [program for program in waiting if not program.is_up()]
            if waiting and time.monotonic() > deadline:
                raise self._failed(waiting[0], f"is not up after {seconds:.0f} seconds")
            self._heed(POLL_SECONDS if waiting else 0)

    def run(self, program: Program) -> str:
        """Run a program to its end and return what it printed.

        Raises:
            ProgramFailed: it said no.
            StopRequested: someone asked to stop; it has been ended.
        """
        with tempfile.TemporaryFile() as output:
            process = self._spawn(program, stdout=output.fileno())
            child = _Child(program, process, is_coming_back=False)
            try:
                while process.poll() is None:
                    self._heed(POLL_SECONDS, besides=process.pid)
            finally:
                self._end(child, grace_seconds=program.grace_seconds)
            if process.returncode != 0:
                raise self._failed(program, _how_it_ended(process.returncode))
            output.seek(0)
            return output.read().decode()

    def watch(self) -> None:
        """Keep everything running until someone asks to stop.

        Raises:
            ProgramFailed: a child keeps dying.
        """
        try:
            while True:
                self._heed(TICK_SECONDS)
        except StopRequested:
            return

    def _request_stop(self, _number: int, _frame: FrameType | None) -> None:
        """The second time kills; within a second it is the same one, passed on by a parent."""
        now = time.monotonic()
        if self._stop_asked_at is None:
            self._stop_asked_at = now
        self._is_impatient = now - self._stop_asked_at > SAME_REQUEST_SECONDS

    def _heed(self, seconds: float, *, besides: int = 0) -> None:
        """Sleep, or less when a signal comes; then see to the children and to who asks to stop."""
        self._sleep(seconds)
        if self._stop_asked_at is not None:
            raise StopRequested
        for child in self._children.values():
            if child.process is not None and child.process.poll() is not None:
                self._bury(child)
        if self._guard.poll() is not None:
            self._say("guard has ended; starting it again")
            self._start_guard()
        self._end_strays(besides=besides)
        for child in self._children.values():
            if child.process is None and time.monotonic() >= child.start_at:
                self._launch(child)
            elif child.is_coming_back and self._is_steady(child):
                child.is_coming_back = False
                self._say(f"{child.program.name} is up again")

    def _is_steady(self, child: _Child) -> bool:
        """Some programs cannot be asked; that they still run after a while is all they say."""
        return time.monotonic() - child.started_at >= STEADY_SECONDS and child.program.is_up()

    def _sleep(self, seconds: float) -> None:
        select.select([self._wake], [], [], seconds)
        try:
            self._wake.recv(4096)
        except BlockingIOError:
            return

    def _bury(self, child: _Child) -> None:
        """Note a death and when to start again, or give up."""
        assert child.process is not None  # noqa: S101 - the caller has just polled it
        how = _how_it_ended(child.process.returncode)
        now = time.monotonic()
        child.process = None
        child.deaths.append(now)
        name = child.program.name
        if len(child.deaths) == DEATHS and now - child.deaths[0] <= DEATHS_WITHIN_SECONDS:
            raise self._failed(child.program, f"{how}, {DEATHS} times within a minute")
        recent = sum(now - death <= DEATHS_WITHIN_SECONDS for death in child.deaths)
        backoff = FIRST_BACKOFF_SECONDS * 2 ** (recent - 1)
        child.start_at = now + backoff
        child.is_coming_back = True
        self._say(f"{name} {how}; starting it again in {backoff:.1f} s")

    def _launch(self, child: _Child) -> None:
        child.program.prepare()
        child.process = self._spawn(child.program)
        child.started_at = time.monotonic()

    def _spawn(self, program: Program, *, stdout: int | None = None) -> subprocess.Popen[bytes]:
        supervisor = os.getpid()

        def settle() -> None:
            if program.refuses_root:
                become_unprivileged()
            die_with_parent(program.stop_signal)
            if os.getppid() != supervisor:  # it died before the kernel was asked
                os._exit(1)

        with open_log(self._logs, program.name) as log:
            return subprocess.Popen(
                program.command,
                cwd=self._folder,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=log if stdout is None else stdout,
                stderr=log,
                start_new_session=True,  # Ctrl-C reaches the supervisor alone
                preexec_fn=settle,  # noqa: PLW1509 - there is one thread
            )

    def _start_guard(self) -> None:
        """Start what ends the others if this process is killed; it alone does not die with it."""
        reading, _ = self._guard_pipe
        with open_log(self._logs, "guard") as log:
            self._guard = subprocess.Popen(
                python(
                    "config.embedded.guard",
                    str(reading),
                    self._lineage.marker,
                    str(self._lineage.cluster),
                ),
                cwd=self._folder,
                env={MARKER: self._lineage.marker},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(reading,),
            )

    def _end_strays(self, *, besides: int = 0) -> None:
        """End what fell to this process because the process between has died."""
        known = {child.process.pid for child in self._children.values() if child.process}
        known |= {self._guard.pid, besides}
        # Ending one may hand over its own children.
        while strays := [one for one in psutil.Process().children() if one.pid not in known]:
            for stray in strays:
                _kill(stray.pid)
                _reap(stray.pid)

    def _stop_all(self) -> None:
        for child in reversed(self._children.values()):
            self._end(child, grace_seconds=child.program.grace_seconds)
        self._end_strays()
        for descriptor in self._guard_pipe:
            os.close(descriptor)
        try:
            self._guard.wait(GUARD_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()

    def _end(self, child: _Child, *, grace_seconds: float) -> None:
        """Ask it to end; after the grace, or when someone asks to stop twice, kill its group."""
        process = child.process
        if process is None:
            return
        deadline = time.monotonic() + grace_seconds
        if process.poll() is None:
            process.send_signal(child.program.stop_signal)
        while process.poll() is None and time.monotonic() < deadline and not self._is_impatient:
            self._sleep(POLL_SECONDS)
        if process.poll() is None:
            self._say(f"{child.program.name} does not stop; killing it")
        _kill_group(process.pid)
        process.wait()
        child.process = None

    def _failed(self, program: Program, what: str) -> ProgramFailed:
        lines = tail(self._logs, program.name)
        return ProgramFailed(f"{program.name} {what}. The end of its log:\n\n{lines}")


def _how_it_ended(status: int) -> str:
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with status {status}"


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _kill_group(pid: int) -> None:
    """A child leads its own group, which may outlive it."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, 0)
    except ChildProcessError:
        return
