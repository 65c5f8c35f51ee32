"""The most files that a build may have …"""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from artifacts.domain.file_counts import FileCounts
from artifacts.errors import BuildFull
from artifacts.queries.slots import count_files
from kernel.actor import Actor
from tests.environment import DEFAULTS
from tests.factories.builds import send, start
from tests.fakes.blob_store import MemoryBlobStore


@pytest.fixture
def somebody_else() -> Iterator[psycopg.Connection[tuple[int]]]:
    """Another connection, in a transaction of its own."""
    with psycopg.connect(DEFAULTS["STRONGROOM_DATABASE_URL"]) as other:
        yield other
        other.rollback()


def test_is_looked_at_without_counting_again_while_there_is_room(
    first: Actor, store: MemoryBlobStore
) -> None:
    build, counts = start(first).build, FileCounts()

    with CaptureQueriesContext(connection) as asked:
        for number in range(20):
            send(first, build, store, f"{number}", counts=counts, most_files=1000)

    assert sum("count(*)" in query["sql"] for query in asked) == 1
    assert build.artifacts.count() == 20


def test_holds_for_a_process_that_counted_before_another_one_added_files(
    first: Actor, store: MemoryBlobStore
) -> None:
    build, one, other = start(first).build, FileCounts(), FileCounts()
    send(first, build, store, "a", counts=one, most_files=5)
    for path in ("b", "c", "d", "e"):
        send(first, build, store, path, counts=other, most_files=5)

    for counts in (one, other):
        with pytest.raises(BuildFull) as refused:
            send(first, build, store, "f", counts=counts, most_files=5)
        assert refused.value.facts["observed_files"] == 5


def test_is_reached_by_files_and_not_by_other_transactions(
    first: Actor, store: MemoryBlobStore
) -> None:
    build, counts = start(first).build, FileCounts()
    send(first, build, store, "a", counts=counts, most_files=3)
    for name in ("x", "y", "z"):
        start(first, name)

    send(first, build, store, "b", counts=counts, most_files=3)
    send(first, build, store, "c", counts=counts, most_files=3)

    with pytest.raises(BuildFull):
        send(first, build, store, "d", counts=counts, most_files=3)


def test_takes_account_of_who_has_not_committed_when_it_is_counted(
    first: Actor, somebody_else: psycopg.Connection[tuple[int]]
) -> None:
    [uncommitted] = somebody_else.execute("SELECT pg_current_xact_id()::text::bigint").fetchall()
    build = start(first).build

    counted = count_files(build.pk)

    assert counted.files == 0
    assert counted.from_transaction <= uncommitted[0]
