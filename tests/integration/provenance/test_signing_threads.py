"""However many batches are signed side by side, an instance sees no more at once than allowed."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest
from django.db import connections

from provenance.adapters.sigstore_instance.line import Limits
from provenance.models import AttestationRequest
from provenance.usecases.attest_builds import BATCH
from tests.factories.facts import witnessed
from tests.factories.private_sigstore.attestor import Sigstore
from tests.factories.private_sigstore.doubles import Forward, double
from tests.factories.private_sigstore.serving import Answer, Request
from tests.factories.private_sigstore.store import Store
from tests.factories.requests import requested

THREADS: Final = 8
PATIENCE_SECONDS: Final = 60
# What would be one too many is given this long to come.
GRACE_SECONDS: Final = 1


@dataclass
class Gate:
    """A service that answers nobody until it is opened, and counts who is there at once."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    is_open: bool = False
    inside: int = 0
    most: int = 0

    def __call__(self, request: Request, forward: Forward) -> Answer:
        with self.changed:
            self.inside += 1
            self.most = max(self.most, self.inside)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.is_open)
        answer = forward(request)
        with self.changed:
            self.inside -= 1
        return answer

    def sees(self, number: int, *, seconds: float) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.inside >= number, timeout=seconds)

    def open(self) -> None:
        with self.changed:
            self.is_open = True
            self.changed.notify_all()


def both_batches_are_leased() -> bool:
    """Whether somebody is at all of the requests."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if not AttestationRequest.objects.filter(lease=None).exists():
            return True
        time.sleep(0.01)
    return False


@contextmanager
def opened_by(gate: Gate, seen: list[bool]) -> Iterator[None]:
    """Watch the gate beside the worker, and open it."""

    def watch() -> None:
        try:
            seen.append(both_batches_are_leased())
            seen.append(gate.sees(THREADS, seconds=PATIENCE_SECONDS))
            seen.append(gate.sees(THREADS + 1, seconds=GRACE_SECONDS))
        finally:
            gate.open()
            connections.close_all()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        watcher.join()


@pytest.mark.django_db(transaction=True)
def test_two_batches_share_the_configured_threads(sigstore: Sigstore, tmp_path: Path) -> None:
    store = Store.create(sigstore, tmp_path)
    for number in range(2 * BATCH):
        requested(witnessed(run_id=str(number)))
    gate, seen = Gate(), list[bool]()

    with double(store.attestor.instance.fulcio, gate) as fulcio, opened_by(gate, seen):
        store.attest(store.signer({"fulcio": fulcio}, limits=Limits(threads=THREADS)))

    assert seen == [True, True, False]
    assert gate.most == THREADS
    assert len(store.published) == 2 * BATCH
