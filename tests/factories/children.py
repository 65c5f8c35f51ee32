"""Servers as child processes: started, awaited, and ended with who started them."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from config.embedded.lineage import die_with_parent
from config.embedded.unprivileged import become_unprivileged
from config.embedded.up import CHECKOUT

START_SECONDS: Final = 60
STOP_SECONDS: Final = 60


@contextmanager
def child(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    *,
    port: int | None = None,
    is_unprivileged: bool = False,
) -> Iterator[None]:
    """A server, once it listens on its port (where it has one); stopped at the end."""
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=environment,
            stdout=output,
            stderr=output,
            preexec_fn=_unprivileged if is_unprivileged else _ours,  # noqa: PLW1509 - no threads
        ) as process,
    ):
        try:
            if port is not None:
                _await(port, process, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _ours() -> None:
    die_with_parent(signal.SIGTERM)


def _unprivileged() -> None:
    become_unprivileged()
    die_with_parent(signal.SIGINT)  # PostgreSQL waits for its clients at the other signal


def _await(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} did not start: {log.read_text()[-2000:]}")
