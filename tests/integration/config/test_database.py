"""A kept connection to the database …"""

import time
from collections.abc import Iterator
from typing import Any, Final

import psycopg
import pytest
from django.db import connection

from config.database.base import TRUSTED_SECONDS, Kept, check
from kernel.connections import give_back
from tests.environment import DEFAULTS

URL: Final = DEFAULTS["STRONGROOM_DATABASE_URL"]
PATIENCE_SECONDS: Final = 60

pytestmark = pytest.mark.django_db(transaction=True)


class Asked(Kept):
    """A real one that counts what is asked of it."""

    times = 0

    def execute(self, *arguments: Any, **options: Any) -> psycopg.Cursor[Any]:
        self.times += 1
        return super().execute(*arguments, **options)


@pytest.fixture
def kept(transactional_db: None) -> Iterator[Asked]:  # noqa: ARG001 - the server is there
    with Asked.connect(URL, autocommit=True) as made:
        check(made)
        yield made


def end(pid: int) -> None:
    """End it from the server's side, as a restart does, and wait until it has gone."""
    with psycopg.connect(URL, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [pid])
        deadline = time.monotonic() + PATIENCE_SECONDS
        while other.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone():
            assert time.monotonic() < deadline


def test_is_asked_once_and_then_believed(kept: Asked) -> None:
    check(kept)
    check(kept)

    assert kept.times == 1


def test_is_asked_again_when_nobody_has_for_a_while(kept: Asked) -> None:
    kept.asked_at -= TRUSTED_SECONDS

    check(kept)

    assert kept.times == 2


def test_is_not_believed_when_the_server_has_ended_it(kept: Asked) -> None:
    end(kept.info.backend_pid)

    with pytest.raises(psycopg.OperationalError):
        check(kept)

    assert kept.times == 2


def test_costs_no_request_when_the_server_has_ended_it() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [ended] = cursor.fetchone()
    give_back()
    end(ended)

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [fresh] = cursor.fetchone()

    assert fresh != ended
