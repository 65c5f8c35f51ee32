"""Seal the audit trail: chain the committed rows, in an order that no late commit can disturb.

Ids are given before transactions commit, so that a row may appear behind ones with higher ids.
Transactions below `pg_snapshot_xmin` have all ended: their rows are there, or never will be.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max, QuerySet

from kernel.audit.chain import ROW_FIELDS, SEAL_FIELDS, entries, rows_sha256, seal_sha256
from kernel.audit.models import AuditRecord, AuditSeal

logger = logging.getLogger(__name__)

MOST_ROWS: Final = 20_000
_LOCK: Final = "kernel.audit.seal"


@dataclass(frozen=True, slots=True)
class Window:
    """The rows that one seal covers: ids above the floor, transactions in [from, below)."""

    floor_id: int
    from_transaction: int
    below_transaction: int

    def rows(self, *, ceiling_id: int | None = None) -> QuerySet[AuditRecord]:
        """Them, in the order of the chain; up to `ceiling_id` where another era begins there."""
        found = AuditRecord.objects.filter(
            id__gt=self.floor_id,
            transaction_id__gte=self.from_transaction,
            transaction_id__lt=self.below_transaction,
        )
        if ceiling_id is not None:
            found = found.filter(id__lte=ceiling_id)
        return found.order_by("transaction_id", "id")


def seal_once(*, now: datetime, most_rows: int = MOST_ROWS) -> int:
    """Seal what has been committed for good since the last seal, and say how many rows.

    One at a time: where another sealer is at work, nothing is done. Up to `most_rows` a seal, but
    never half of a transaction.
    """
    with transaction.atomic(durable=True):
        if not _is_our_turn():
            return 0
        last = last_seal()
        window = _bounded(_next_window(last), most_rows)
        rows = list(window.rows().values(*ROW_FIELDS))
        if not rows:
            return 0
        stored = entries(rows)
        seal: dict[str, Any] = {
            "number": last.number + 1 if last else 1,
            "floor_id": window.floor_id,
            "from_transaction": window.from_transaction,
            "below_transaction": window.below_transaction,
            "row_count": len(rows),
            "first_id": rows[0]["id"],
            "last_id": rows[-1]["id"],
            "highest_id": max(row["id"] for row in rows),
            "previous_sha256": last.sha256 if last else "",
            "sealed_at": now,
        }
        AuditSeal.objects.create(**seal, rows=stored, sha256=seal_sha256(seal, rows_sha256(stored)))
    return len(rows)


def last_seal() -> AuditSeal | None:
    """The newest seal; None before the first."""
    return AuditSeal.objects.order_by("-number").first()


def seal_fields(seal: AuditSeal) -> dict[str, object]:
    """What of a seal is hashed beside its rows."""
    return {name: getattr(seal, name) for name in SEAL_FIELDS}


def _is_our_turn() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [_LOCK])
        return bool(cursor.fetchone()[0])


def _next_window(last: AuditSeal | None) -> Window:
    """What comes next; it may hold no rows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint"
            " FROM pg_current_snapshot() AS s"
        )
        settled, newest = cursor.fetchone()
    if last is None:
        return Window(0, 0, settled)
    if last.below_transaction <= newest:
        return Window(last.floor_id, last.below_transaction, settled)
    return _after_restore(last, settled)


def _after_restore(last: AuditSeal, settled: int) -> Window:
    """The numbers of transactions went back: a dump was restored into another database cluster.

    First what the old cluster left unsealed, all of it settled; then a new era above its last row.
    """
    left = Window(last.floor_id, last.below_transaction, 2**63 - 1).rows()
    newest = left.aggregate(newest=Max("transaction_id"))["newest"]
    if newest is not None:
        return Window(last.floor_id, last.below_transaction, newest + 1)
    logger.warning("audit seals go on after a restore", extra={"seal": last.number})
    # All rows of the old cluster are sealed, and ids go on rising in the new one.
    floor = max(AuditSeal.objects.aggregate(last=Max("highest_id"))["last"] or 0, last.floor_id)
    return Window(floor, 0, settled)


def _bounded(window: Window, most_rows: int) -> Window:
    """The window, ended behind the transaction of its last row that still fits into a seal."""
    rows = window.rows().values_list("transaction_id", flat=True)
    beyond = next(iter(rows[most_rows : most_rows + 1]), None)
    if beyond is None:
        return window
    first = rows[0]
    below = beyond if beyond > first else first + 1
    return Window(window.floor_id, window.from_transaction, below)
