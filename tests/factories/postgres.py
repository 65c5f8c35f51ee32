"""The PostgreSQL that tests/environment.py names, as a child process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from config.embedded.postgres import Cluster, Passwords
from tests.environment import PASSWORD, POSTGRES_SOCKETS, SCRATCH
from tests.factories.children import child

START_SECONDS: Final = 90


@contextmanager
def running_postgres() -> Iterator[Cluster]:
    """A running cluster with both roles and an empty database."""
    cluster = Cluster(SCRATCH / "pg", POSTGRES_SOCKETS, Passwords(PASSWORD, PASSWORD, PASSWORD))
    cluster.initialise()
    log = SCRATCH / "postgres.log"
    # The machine is not going to lose power in the middle of a test.
    with child([*cluster.command(), "--fsync=off"], log, is_unprivileged=True):
        deadline = time.monotonic() + START_SECONDS
        while not cluster.is_ready():
            if time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}")
            time.sleep(0.05)
        cluster.provision()
        yield cluster
