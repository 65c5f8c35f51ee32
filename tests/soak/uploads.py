"""Jobs that upload while something is broken: what each try came to, and what became of it."""

import http.client
import itertools
import json
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import psycopg

from config.embedded.postgres import RUNTIME
from config.embedded.running import Running
from tests.embedded.family import ask, eventually, upload

JOBS: Final = 2
PAUSE_SECONDS: Final = 0.2
_numbers = itertools.count(1)


@dataclass
class Uploads:
    """Every try of an outage. A job tries each file until it is acknowledged, as any job does."""

    instance: Running
    acknowledged: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    @property
    def tried(self) -> int:
        return len(self.acknowledged) + self.refused.total() + self.unanswered

    def run(self) -> None:
        """One job: files of its own, until `stop`; the last one until it is acknowledged."""
        while not self._stop.is_set():
            name = f"outage/{next(_numbers)}.bin"
            eventually(partial(self._try, name), f"{name} is acknowledged", seconds=120)
            self._stop.wait(PAUSE_SECONDS)

    def stop(self) -> None:
        self._stop.set()

    def _try(self, name: str) -> bool:
        try:
            self.acknowledged[name] = upload(self.instance, name)
        except urllib.error.HTTPError as answer:
            self.refused[_code(answer)] += 1
        except (OSError, http.client.HTTPException):
            self.unanswered += 1
        else:
            return True
        time.sleep(PAUSE_SECONDS)
        return False


@contextmanager
def uploading(instance: Running) -> Iterator[Uploads]:
    """Jobs at work in the background, until the end."""
    uploads = Uploads(instance)
    jobs = [threading.Thread(target=uploads.run) for _ in range(JOBS)]
    for job in jobs:
        job.start()
    try:
        yield uploads
    finally:
        uploads.stop()
        for job in jobs:
            job.join()


def _code(answer: urllib.error.HTTPError) -> str:
    """The problem's code; an answer without one is no clear refusal, and is shown as it is."""
    try:
        return str(json.loads(answer.read())["code"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {answer.code} without a problem"


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of the store: builds, those that are published, statements, and builds with several."""

    builds: int
    published: int
    statements: int
    several: int


def counts(instance: Running) -> Counts:
    """Counted by the database, past the store."""
    with database(instance) as connection:
        row = connection.execute(
            """
            SELECT (SELECT count(*) FROM build),
                   (SELECT count(*) FROM build WHERE state = 'published'),
                   (SELECT count(*) FROM attestation),
                   (SELECT count(*) FROM (
                       SELECT build_id FROM attestation GROUP BY build_id HAVING count(*) > 1
                   ) AS several)
            """
        ).fetchone()
    assert row is not None
    return Counts(*row)


def is_drained(instance: Running) -> bool:
    """Whether every sealed build is published; False also while the database is away."""
    try:
        with database(instance) as connection:
            row = connection.execute("SELECT 1 FROM build WHERE state = 'sealed' LIMIT 1")
            return row.fetchone() is None
    except psycopg.Error:
        return False


def counting_statements(instance: Running, artifact: dict[str, Any]) -> int:
    """How many statements count for an artifact, as anybody may ask the store."""
    found = ask(instance, "GET", f"/api/v1/artifacts/{artifact['id']}/verification")
    assert found["verdict"] == "passed", found
    return len([one for one in found["attestations"] if one["counts"]])


def database(instance: Running) -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection as the runtime role, past the store."""
    password = (instance.home.secrets / "database-runtime").read_text()
    sockets = str(instance.home.database_sockets)
    return psycopg.connect(
        host=sockets, user=RUNTIME, password=password, dbname="strongroom", connect_timeout=2
    )
