"""A running instance for the demo and the tests: started as a child, stopped on leaving."""

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from config.embedded.home import CannotStart, Home, open_home
from config.embedded.ports import ANY
from config.embedded.up import CHECKOUT, Report

START_SECONDS: Final = 150
STOP_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Running:
    """An instance that is ready, and the supervisor that runs it."""

    supervisor: subprocess.Popen[bytes]
    report: Report
    home: Home

    @property
    def url(self) -> str:
        """The store's address."""
        return self.report.url

    @property
    def admin_token(self) -> str:
        """An API token that may do everything."""
        return self.home.admin_token.read_text().strip()

    @property
    def upload_token(self) -> str:
        """An API token that may upload to the first project."""
        return self.home.upload_token.read_text().strip()


@contextmanager
def running(
    data: Path, *, port: int | None = ANY, settings: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run the instance in `data`; on leaving everything is stopped and the data stays.

    Raises:
        CannotStart: it did not become ready; the text is what it said.
    """
    with tempfile.TemporaryFile() as said:
        supervisor, pipe = _start(data, port=port, settings=settings or {}, output=said.fileno())
        try:
            report = _read_report(pipe)
            if report is None:
                stop(supervisor)
                said.seek(0)
                raise CannotStart(said.read().decode(errors="replace"))
            yield Running(supervisor=supervisor, report=report, home=open_home(data))
        finally:
            stop(supervisor)


@contextmanager
def running_briefly(*, port: int = ANY) -> Iterator[Running]:
    """Run a new instance in a folder of its own; on leaving nothing of it is left."""
    data = Path(tempfile.mkdtemp(prefix="strongroom-demo-"))
    try:
        with running(data, port=port) as instance:
            yield instance
    finally:
        shutil.rmtree(data)


def stop(supervisor: subprocess.Popen[bytes]) -> int:
    """Ask it to stop everything, and wait until it has; its exit status."""
    if supervisor.poll() is None:
        supervisor.terminate()
    try:
        return supervisor.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        supervisor.kill()  # its guard ends the others
        return supervisor.wait()


def _start(
    data: Path, *, port: int | None, settings: Mapping[str, str], output: int
) -> tuple[subprocess.Popen[bytes], int]:
    reading, writing = os.pipe()
    command = [
        sys.executable,
        "-m",
        "config.embedded",
        "--stop-with-parent",
        "up",
        f"--data={data}",
    ]
    command += [f"--report={writing}"]
    command += [f"--setting={name}={value}" for name, value in settings.items()]
    command += [f"--port={port}"] if port is not None else []
    try:
        supervisor = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches this process, which then stops the other
            pass_fds=(writing,),
        )
    finally:
        os.close(writing)
    return supervisor, reading


def _read_report(pipe: int) -> Report | None:
    """What the supervisor writes when it is ready; None when it ends or takes too long."""
    with os.fdopen(pipe) as file:
        ready, _, _ = select.select([file], [], [], START_SECONDS)
        text = file.read() if ready else ""
    return Report(**json.loads(text)) if text else None
