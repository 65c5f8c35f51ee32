"""The clock of evidence: never shorter than anything that needs it, and for ever where unset."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from artifacts.domain.evidence_clock import KeptBy, Remains

BURIED = datetime(2026, 1, 1, tzinfo=UTC)
LIFE = timedelta(days=400)
OVER = BURIED + LIFE
LATER = OVER + timedelta(days=1)
GONE = Remains(last_buried_at=BURIED)


def test_keeps_until_its_time_is_over_and_no_longer() -> None:
    assert GONE.kept_by(LIFE, now=OVER - timedelta(microseconds=1)) is KeptBy.TIME
    assert GONE.kept_by(LIFE, now=OVER) is None
    assert GONE.kept_until(LIFE) == OVER


def test_keeps_for_ever_without_a_life() -> None:
    assert GONE.kept_by(None, now=datetime.max.replace(tzinfo=UTC)) is KeptBy.TIME
    assert GONE.kept_until(None) is None


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"is_stored": True}, KeptBy.STORED),
        ({"is_in_trash": True}, KeptBy.TRASH),
        ({"is_awaited": True}, KeptBy.REQUEST),
        ({"held_until": LATER}, KeptBy.HOLD),
        ({"held_until": OVER}, None),
        ({"in_use_until": LATER}, KeptBy.USE),
        ({"in_use_until": OVER}, None),
        ({"is_as_recorded": False}, KeptBy.DIFFERENCE),
        ({"is_stored": True, "held_until": LATER, "is_awaited": True}, KeptBy.STORED),
        ({"in_use_until": LATER, "held_until": LATER}, KeptBy.HOLD),
    ],
)
def test_keeps_what_anything_needs(more: dict[str, Any], why: KeptBy | None) -> None:
    assert replace(GONE, **more).kept_by(LIFE, now=OVER) is why
