"""A database superuser, who may do everything: what the audit trail is verified against."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg

from config.embedded.postgres import Cluster
from tests.environment import PASSWORD


class Forge(Protocol):
    """Runs one statement."""

    def __call__(self, statement: str, *values: Any) -> None: ...


@contextmanager
def forger(postgres: Cluster) -> Iterator[Forge]:
    """His connection, past all rights."""
    url = postgres.url("postgres", PASSWORD)
    with psycopg.connect(url, autocommit=True) as superuser:

        def run(statement: str, *values: Any) -> None:
            superuser.execute(statement.encode(), values)

        yield run
