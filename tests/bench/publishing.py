"""Builds from sealed to published: both signers, each beside its cryptography alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.bench.arena import Arena
from tests.bench.contestants import until
from tests.bench.load import drive
from tests.bench.rows import CLIENTS, SMALL, WORKER, Amounts, Row, Trial, bodies
from tests.bench.signing import Round, compare
from tests.embedded.family import find
from tests.factories.bundles import Instance
from tests.factories.private_sigstore.instance import missing_programs


def published(arena: Arena, amounts: Amounts) -> Row:
    """Sealed builds that wait, then the worker: how many are published in a second.

    Held against the cryptography alone: a key, a certificate, its SCT and a log entry for each
    statement, made in memory by one thread.
    """
    store = arena.directory

    def ours(number: int, times: int) -> float:
        sent = bodies(store, f"sealed-{number}", SMALL, times)
        with stopped_worker(arena):
            drive([store.upload(body) for body in sent], clients=CLIENTS)
        began = time.monotonic()
        _await_published(arena)
        return len(sent) / (time.monotonic() - began)

    def bare(_: int, times: int) -> float:
        instance = Instance()
        began = time.monotonic()
        for _each in range(times):
            instance.bundle()
        return times / (time.monotonic() - began)

    name = "the cryptography alone"
    trials = [Trial(store.name, ours, amounts.builds), Trial(name, bare, amounts.builds)]
    title = "sealed to published, embedded signer"
    return Row(title, "builds/s", trials, store.name, name, busy=WORKER)


def signed(rounds: int) -> Iterator[Row]:
    """The same with a private Sigstore, as `tests.bench.signing` compares it in its own process.

    It takes the turns itself: all rounds are measured when the first is asked for.
    """
    if missing_programs():
        return
    taken: list[Round] = []

    def compared(number: int) -> Round:
        if not taken:
            taken.extend(compare(rounds=rounds + 1))
        return taken[number]

    ours, name = "Strongroom, one process", "sigstore-python alone"
    trials = [
        Trial(ours, lambda number, _times: compared(number).store.per_second),
        Trial(name, lambda number, _times: compared(number).bare.per_second),
    ]
    yield Row("sealed to published, Sigstore", "builds/s", trials, ours, name, busy="")


@contextmanager
def stopped_worker(arena: Arena) -> Iterator[None]:
    """The attesting worker as it stands still."""
    family = [process for kind in ("worker", WORKER) for process in find(arena.instance.home, kind)]
    for process in family:
        process.suspend()
    try:
        yield
    finally:
        for process in family:
            process.resume()


def _await_published(arena: Arena) -> None:
    """By the rows alone: to ask the web server would take the time that is measured."""
    sealed = "SELECT 1 FROM build WHERE state = 'sealed' LIMIT 1"
    with psycopg.connect(arena.database_url, autocommit=True) as connection:
        until(lambda: connection.execute(sealed).fetchone() is None, "all builds are published")
