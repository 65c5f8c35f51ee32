"""A PostgreSQL of its own, filled by sets of rows, for what is measured over very many."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import psycopg

# The seed's rows agree with each other: to check each of them takes most of its time.
_SEED_OPTIONS: Final = (
    "-c session_replication_role=replica -c synchronous_commit=off -c work_mem=256MB"
)


@contextmanager
def filled(*, artifacts: int) -> Iterator[float]:
    """So many artifacts, with builds and downloads; how many seconds that took."""
    from django.core.management import call_command  # noqa: PLC0415 - after django.setup()
    from django.db import connection  # noqa: PLC0415 - as above

    from tests.bench.seed import seed  # noqa: PLC0415 - as above
    from tests.environment import PASSWORD, SCRATCH  # noqa: PLC0415 - as above
    from tests.factories.postgres import running_postgres  # noqa: PLC0415 - as above

    SCRATCH.mkdir(mode=0o700)
    try:
        with running_postgres() as cluster:
            call_command("migrate_schema", verbosity=0)
            began = time.perf_counter()
            url = cluster.url("postgres", PASSWORD)
            fast = f"{url}{'&' if '?' in url else '?'}options={quote(_SEED_OPTIONS)}"
            now = datetime.now(UTC)
            seed(artifacts=artifacts, url=fast, now=now, behind="retention_downloads.sql")
            # What the database would do by and by, in the midst of what is measured.
            with psycopg.connect(url, autocommit=True) as tidying:
                tidying.execute("VACUUM (ANALYZE)")
                tidying.execute("CHECKPOINT")
            yield time.perf_counter() - began
            # The server waits for its clients before it ends, and a pool keeps what is closed.
            connection.close()
            connection.close_pool()  # type: ignore[attr-defined] # of the backend with a pool
    finally:
        shutil.rmtree(SCRATCH)
