"""Forget the lists of questions that nobody answered: previews, plans and bulk actions.

First it is decided, one row for each list (`ListFate`), against which nobody can use it any more.
Then its rows go, batch by batch; what a killed worker leaves, the next one takes. The question
stays, with its numbers.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction

from artifacts.domain.fates import PATIENCE, PATIENCE_WITH_NEWEST_PLAN, Fate
from artifacts.domain.pacing import FIRST, next_batch
from kernel import faults
from kernel.outbox.emit import beat
from kernel.outbox.queries import heartbeat_age
from kernel.turns import only_one

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(days=1)
HEARTBEAT: Final = "forget_lists"
_TURN: Final = 0x5354_464F_5247  # any number that nobody else takes a turn with


@dataclass(frozen=True, slots=True)
class _Kind:
    """A table of questions, the one with their lists, and which are due: about `question`."""

    questions: str
    items: str
    parent: str
    is_due: str


_KINDS: Final = (
    _Kind(
        "retention_preview",
        "retention_preview_item",
        "preview_id",
        "question.made_at < %(unused)s",
    ),
    _Kind("bulk_action", "bulk_action_item", "bulk_action_id", "question.asked_at < %(unused)s"),
    _Kind(
        "retention_plan",
        "retention_plan_item",
        "plan_id",
        """question.made_at < %(unused)s AND (question.made_at < %(unused_newest)s OR EXISTS (
            SELECT FROM retention_plan AS newer
            WHERE newer.scope_id = question.scope_id AND newer.made_at > question.made_at))""",
    ),
)
# Who uses one of them in this moment is waited for, and was first.
_DECIDE: Final = """
    INSERT INTO list_fate (id, fate, at)
    SELECT question.id, %(forgotten)s, %(now)s FROM {questions} AS question
    WHERE {is_due} AND NOT EXISTS (SELECT FROM list_fate WHERE list_fate.id = question.id)
    ON CONFLICT DO NOTHING RETURNING id
"""
# LATERAL: by the index, list for list, however many items there are of others.
_UNFINISHED: Final = """
    SELECT list_fate.id FROM list_fate CROSS JOIN LATERAL (
        SELECT FROM {items} AS item WHERE item.{parent} = list_fate.id LIMIT 1
    ) AS first WHERE list_fate.fate = %s ORDER BY list_fate.at, list_fate.id
"""
# Behind the last batch: an index has entries of what was deleted for a while, to be passed by.
_TAKE: Final = """
    WITH gone AS (
        DELETE FROM {items} WHERE id = ANY(ARRAY(
            SELECT id FROM {items} WHERE {parent} = %s AND id > %s ORDER BY id LIMIT %s
        )) RETURNING id
    ) SELECT count(*), max(id) FROM gone
"""


def forget_lists_when_due(*, now: datetime) -> int:
    """Forget once a day what nobody used in time; how many rows went."""
    age = heartbeat_age(HEARTBEAT, now=now)
    if age is not None and age < EVERY:
        return 0
    with transaction.atomic(durable=True):
        beat(HEARTBEAT, now=now)
    return forget_lists(now=now)


def forget_lists(*, now: datetime, meter: Callable[[], float] = time.monotonic) -> int:
    """Forget what nobody used in time; how many rows went, 0 where somebody else does that.

    `meter` counts seconds: batches become smaller as long as they take too many.
    """
    with only_one(_TURN) as is_ours:
        if not is_ours:
            return 0
        lists = sum(_decide(kind, now=now) for kind in _KINDS)
        faults.reach("artifacts.lists-forgotten")
        rows = sum(_take(kind, one, meter=meter) for kind in _KINDS for one in _unfinished(kind))
    if lists or rows:
        logger.info("lists forgotten", extra={"lists": lists, "rows": rows})
    return rows


def _decide(kind: _Kind, *, now: datetime) -> int:
    given: dict[str, str | datetime] = {
        "now": now,
        "forgotten": Fate.FORGOTTEN.value,
        "unused": now - PATIENCE,
        "unused_newest": now - PATIENCE_WITH_NEWEST_PLAN,
    }
    text = _DECIDE.format(questions=kind.questions, is_due=kind.is_due)
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(text, given)
        return len(cursor.fetchall())


def _unfinished(kind: _Kind) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            _UNFINISHED.format(items=kind.items, parent=kind.parent), [Fate.FORGOTTEN.value]
        )
        return [row[0] for row in cursor.fetchall()]


def _take(kind: _Kind, one: UUID, *, meter: Callable[[], float]) -> int:
    """Take away all rows of a list; how many there were."""
    text = _TAKE.format(items=kind.items, parent=kind.parent)
    rows, last, size, began = 0, 0, FIRST, meter()
    while True:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(text, [one, last, size])
            gone, last = cursor.fetchone()
        if not gone:
            return rows
        faults.reach("artifacts.list-forgetting")
        rows += gone
        ended = meter()
        size, began = next_batch(size, took_seconds=ended - began), ended
