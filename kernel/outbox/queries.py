"""What monitoring asks of the outbox."""

from datetime import datetime, timedelta

from kernel.counting import counted
from kernel.outbox.models import Heartbeat, OutboxEvent


def oldest_event_age(*, now: datetime) -> timedelta:
    """How long the oldest waiting event has waited; zero when none waits."""
    oldest = OutboxEvent.objects.order_by("id").values_list("emitted_at", flat=True).first()
    return max(now - oldest, timedelta(0)) if oldest is not None else timedelta(0)


def events_waiting() -> str:
    """How many events wait, for people; many are not counted to the last."""
    return counted(OutboxEvent.objects.all())


def heartbeat_age(name: str, *, now: datetime) -> timedelta | None:
    """How long ago this last ran by the clock; None when it never did."""
    beat_at = Heartbeat.objects.filter(name=name).values_list("beat_at", flat=True).first()
    return now - beat_at if beat_at is not None else None
