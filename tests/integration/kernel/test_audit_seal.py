"""The audit trail's chain: nothing is skipped, and what a superuser changes is named."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from kernel.actor import ANONYMOUS
from kernel.audit.chain import ROW_FIELDS, entries, rows_sha256, seal_sha256
from kernel.audit.models import AuditRecord, AuditSeal
from kernel.audit.queries import oldest_unsealed_age
from kernel.audit.record import record
from kernel.audit.seal import Window, seal_once
from kernel.audit.verify import verify_chain
from tests.factories.builds import at_once
from tests.factories.forger import Forge

pytestmark = pytest.mark.django_db(transaction=True)

NOW: Final = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


def write(*actions: str) -> list[int]:
    for action in actions:
        record(ANONYMOUS, action, "thing", now=NOW, before={"is": 1}, after={"is": "ä"})
    return list(AuditRecord.objects.order_by("id").values_list("id", flat=True))


def sealed() -> int:
    return seal_once(now=NOW)


def test_chains_what_was_committed() -> None:
    write("a", "b")
    assert sealed() == 2
    write("c")
    assert (sealed(), sealed()) == (1, 0)

    first, second = AuditSeal.objects.order_by("number")
    assert (first.number, first.row_count, first.previous_sha256) == (1, 2, "")
    assert (second.number, second.row_count, second.previous_sha256) == (2, 1, first.sha256)
    found = verify_chain()
    assert (found.broken, found.seals, found.rows, found.unsealed) == (None, 2, 3, 0)
    assert found.last_sha256 == second.sha256


def test_skips_no_row_of_a_transaction_that_commits_late() -> None:
    """Ids are given early: the row that commits last has the lowest id."""
    inserted, may_commit = threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            record(ANONYMOUS, "late", "thing", now=NOW)
            inserted.set()
            assert may_commit.wait(60)

    def others() -> list[int]:
        assert inserted.wait(60)
        write("early")
        counts = [sealed()]
        write("early too")
        counts.append(sealed())
        may_commit.set()
        return counts

    _, counts = at_once(late, others)
    assert counts == [0, 0]  # they wait for the one that was there first
    assert sealed() == 3
    write("after")
    assert sealed() == 1

    assert verify_chain().broken is None
    assert verify_chain().rows == 4


def test_goes_on_where_a_transaction_was_rolled_back() -> None:
    write("a")
    with transaction.atomic():
        record(ANONYMOUS, "never", "thing", now=NOW)
        transaction.set_rollback(True)
    write("b")

    assert sealed() == 2
    assert verify_chain().broken is None


def test_lets_one_sealer_at_a_time_work() -> None:
    for _ in range(20):
        write("a", "b", "c")
        at_once(sealed, sealed, sealed)

    while sealed():
        pass
    assert verify_chain().broken is None
    assert verify_chain().rows == 60


def test_never_cuts_a_transaction_in_two() -> None:
    write("a")
    with transaction.atomic():
        write(*"bcdefg")
    write("h", "i")

    counts = []
    while rows := seal_once(now=NOW, most_rows=3):
        counts.append(rows)

    assert counts == [1, 6, 2]
    assert verify_chain().broken is None


def test_goes_on_after_a_restore_into_another_cluster(forge: Forge) -> None:
    """There the numbers of transactions are lower than those of the rows that were restored."""
    write("a", "b")
    sealed()
    write("left")
    far = 5_000_000_000
    forge("UPDATE audit_record SET transaction_id = transaction_id + %s", far)
    forge("DELETE FROM audit_seal")
    first = list(AuditRecord.objects.order_by("id"))
    window = Window(0, 0, first[2].transaction_id)
    _seal_as_if(window)
    write("new")

    counts = [sealed(), sealed(), sealed()]

    assert counts == [1, 1, 0]
    found = verify_chain()
    assert (found.broken, found.rows, found.unsealed) == (None, 4, 0)
    forge(
        "INSERT INTO audit_record (id, at, actor, action, target, facts, request_id,"
        " address, transaction_id) VALUES (-5, now(), 'eve', 'x', 'x', '{}', '', '', 1)"
    )
    assert verify_chain().broken is not None


def _seal_as_if(window: Window) -> None:
    """A seal of the cluster that was, whose transactions are far ahead of this one's."""
    rows = list(window.rows().values(*ROW_FIELDS))
    stored = entries(rows)
    fields: dict[str, Any] = {
        "number": 1,
        "floor_id": window.floor_id,
        "from_transaction": window.from_transaction,
        "below_transaction": window.below_transaction,
        "row_count": len(rows),
        "first_id": rows[0]["id"],
        "last_id": rows[-1]["id"],
        "highest_id": max(row["id"] for row in rows),
        "previous_sha256": "",
        "sealed_at": NOW,
    }
    AuditSeal.objects.create(**fields, rows=stored, sha256=seal_sha256(fields, rows_sha256(stored)))


def test_says_how_long_a_row_has_waited_for_its_seal() -> None:
    assert oldest_unsealed_age(now=NOW) == timedelta(0)
    write("a")
    assert oldest_unsealed_age(now=NOW + timedelta(seconds=5)) == timedelta(seconds=5)
    sealed()
    assert oldest_unsealed_age(now=NOW + timedelta(seconds=5)) == timedelta(0)


def test_is_sealed_and_verified_on_the_command_line(
    forge: Forge, capsys: pytest.CaptureFixture[str]
) -> None:
    row = write("a")[0]
    call_command("seal_audit", "--once")
    call_command("audit", "verify")
    assert "1 rows in 1 seals are as they were sealed; 0 wait" in capsys.readouterr().out

    forge("UPDATE audit_record SET actor = 'eve' WHERE id = %s", row)

    with pytest.raises(CommandError, match=f"a row was changed: seal 1, row {row}"):
        call_command("audit", "verify")


def test_writes_the_transaction_of_the_change() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        expected = cursor.fetchone()[0]
        with transaction.atomic():
            write("a")

    assert AuditRecord.objects.get().transaction_id == expected
