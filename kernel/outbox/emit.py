"""Emit an event: a row in the caller's transaction, which the relay turns into tasks."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

import structlog
from django.db import transaction

from kernel.outbox.models import Heartbeat, OutboxEvent
from kernel.rows import insert


class Event(Protocol):
    """A frozen dataclass with a stable dotted name; its fields are plain values and UUIDs."""

    name: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]


class NoTransaction(RuntimeError):
    """An event was emitted outside a transaction: it could be told without the fact."""


def emit(event: Event, *, now: datetime) -> None:
    """Write the event beside the fact it tells, in the transaction that is open.

    Raises:
        NoTransaction: none is open (a programming error, never a refusal).
    """
    insert(_row(event, now=now))


def emit_all(events: Sequence[Event], *, now: datetime) -> None:
    """The same for the events of a batch, at once.

    Raises:
        NoTransaction: as `emit`.
    """
    OutboxEvent.objects.bulk_create([_row(event, now=now) for event in events])


def _row(event: Event, *, now: datetime) -> OutboxEvent:
    if not transaction.get_connection().in_atomic_block:
        raise NoTransaction(event.name)
    payload = {
        name: str(value) if isinstance(value, UUID) else value
        for name, value in asdict(event).items()
    }
    return OutboxEvent(
        name=event.name,
        payload=payload,
        request_id=current_request_id(),
        emitted_at=now,
    )


def current_request_id() -> str:
    """The id of the request that this work belongs to; empty where there is none."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))


def beat(name: str, *, now: datetime) -> None:
    """Record that something that runs by the clock has run."""
    Heartbeat.objects.update_or_create(name=name, defaults={"beat_at": now})
