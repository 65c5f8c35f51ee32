"""How many rows a second the sealer chains: `pytest -s tests/integration/kernel/seal_rate.py`.

Not collected otherwise, and not judged: machines differ. The peer is 1,000 rows a second, which
others write meanwhile.
"""

import threading
import time
from typing import Final

import pytest
from django.db import connection, transaction
from django.utils import timezone

from kernel.audit.models import AuditRecord
from kernel.audit.seal import seal_once
from kernel.audit.verify import verify_chain

pytestmark = pytest.mark.django_db(transaction=True)

BACKLOG: Final = 60_000
A_SECOND: Final = 1_000
SECONDS: Final = 10


def rows(count: int) -> list[AuditRecord]:
    return [
        AuditRecord(
            at=timezone.now(),
            actor="token:00000000-0000-0000-0000-000000000000",
            action="artifact.upload",
            target="acme/widget/dist/widget-1.2.3.tar.gz",
            facts={"sha256": "ab" * 32, "size_bytes": number},
        )
        for number in range(count)
    ]


def seal_all() -> int:
    sealed = 0
    while count := seal_once(now=timezone.now()):
        sealed += count
    return sealed


def write() -> None:
    due = time.monotonic()
    for _ in range(SECONDS * 10):
        with transaction.atomic():
            AuditRecord.objects.bulk_create(rows(A_SECOND // 10))
        due += 0.1
        time.sleep(max(0, due - time.monotonic()))
    connection.close()


def tell(line: str) -> None:
    print(line)  # noqa: T201 - what this file is for


def test_says_how_fast_a_backlog_is_sealed_and_verified() -> None:
    AuditRecord.objects.bulk_create(rows(BACKLOG), batch_size=5_000)

    started = time.monotonic()
    sealed = seal_all()
    seconds = time.monotonic() - started
    tell(f"sealed: {sealed} rows in {seconds:.2f} s, {sealed / seconds:.0f} a second")

    started = time.monotonic()
    found = verify_chain()
    seconds = time.monotonic() - started
    tell(f"verified: {found.rows} rows in {seconds:.2f} s; broken: {found.broken}")
    assert found.rows == BACKLOG


def test_says_whether_the_sealer_keeps_up_with_a_writer() -> None:
    writer = threading.Thread(target=write)
    started = time.monotonic()
    writer.start()
    sealed, slowest = 0, 0.0
    while writer.is_alive():
        time.sleep(1)
        turn = time.monotonic()
        sealed += seal_all()
        slowest = max(slowest, time.monotonic() - turn)
    seconds = time.monotonic() - started
    tell(
        f"beside a writer: {sealed} rows in {seconds:.1f} s, {sealed / seconds:.0f} a second,"
        f" the slowest turn took {slowest * 1000:.0f} ms"
    )
    sealed += seal_all()
    assert sealed == A_SECOND * SECONDS
