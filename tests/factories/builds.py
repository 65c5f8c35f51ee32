"""A job's steps with a build of many files: start, send, seal, each in one line."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from django.db import connection

from artifacts.domain.file_counts import FileCounts
from artifacts.models import Build
from artifacts.ports import BlobStore
from artifacts.usecases.complete_build import complete_build
from artifacts.usecases.publish_file import Incoming, Published
from artifacts.usecases.receive_file import Slot, receive_file
from artifacts.usecases.start_build import Started, Wanted, start_build
from kernel.actor import Actor
from kernel.digest import Sha256
from kernel.errors import Refusal
from provenance.models import AttestationRequest

NOW: Final = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
LATER: Final = NOW + timedelta(minutes=5)


def digest_of(data: bytes) -> Sha256:
    return Sha256(sha256(data).hexdigest())


def start(
    actor: Actor, name: str = "", *, shared: bool = False, project: str = "widget"
) -> Started:
    return start_build(actor=actor, wanted=Wanted("acme", project, name, shared), now=NOW)


def send(
    actor: Actor,
    build: Build,
    store: BlobStore,
    path: str,
    data: bytes | Iterator[bytes] = b"",
    *,
    declared: Sha256 | None = None,
    most_files: int = 10_000,
    counts: FileCounts | None = None,
) -> Published:
    chunks = iter([data or path.encode()]) if isinstance(data, bytes) else data
    return receive_file(
        actor=actor,
        slot=Slot(build.pk, path, most_files),
        incoming=Incoming(chunks=chunks, declared=declared),
        store=store,
        counts=counts or FileCounts(),
        clock=lambda: NOW,
    )


def seal(actor: Actor, build: Build, *paths: str, **others: bytes) -> Build:
    expected = {path: digest_of(path.encode()) for path in paths}
    expected |= {path: digest_of(data) for path, data in others.items()}
    return complete_build(actor=actor, build=build.pk, expected=expected, now=LATER)


def statements() -> list[list[str]]:
    """The paths that each request is about."""
    requests = AttestationRequest.objects.all()
    return sorted([name for name, _digest in request.subjects] for request in requests)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What each of them gave or was refused with, when all ran at the same time."""

    def run(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except Refusal as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def gated(data: bytes, gate: threading.Barrier) -> Iterator[bytes]:
    yield data
    gate.wait()
