"""Verifying the audit trail takes memory for a few seals, however many there are."""

import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import pytest

from config.audit_witness import AttestorReader
from kernel.audit.export import as_lines
from kernel.audit.exported import verify_export
from kernel.audit.models import AuditRecord, AuditSeal
from kernel.audit.queries import Wanted
from kernel.audit.seal import seal_once
from kernel.audit.verify import verify_chain
from provenance.wiring import verifier

pytestmark = pytest.mark.django_db(transaction=True)

NOW: Final = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
SEALS, ROWS = 16, 50


def fill() -> None:
    for _ in range(SEALS):
        facts = {"sha256": "ab" * 32, "more": "x" * 500}
        AuditRecord.objects.bulk_create(
            AuditRecord(at=NOW, actor="a", action="b", target=f"thing {number}", facts=facts)
            for number in range(ROWS)
        )
        seal_once(now=NOW)


def peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def verify_exported() -> None:
    reader = AttestorReader(verifier=verifier(), base_url="http://store.test")
    lines = as_lines(Wanted(), head={"exported_at": NOW})
    found = verify_export(lines, reader=reader)
    assert (found.seals, found.records) == (AuditSeal.objects.count(), AuditRecord.objects.count())


def verify() -> None:
    found = verify_chain()
    assert (found.broken, found.rows) == (None, AuditRecord.objects.count())


@pytest.mark.parametrize("work", [verify, verify_exported])
def test_takes_no_more_for_more_seals(work: Callable[[], None]) -> None:
    fill()
    work()  # what is loaded once
    few = peak_bytes(work)
    for _ in range(3):
        fill()

    many = peak_bytes(work)

    assert many < few * 2, f"{few} bytes for {SEALS} seals, {many} for four times as many"
