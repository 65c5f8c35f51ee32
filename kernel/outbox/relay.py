"""The relay: moves events from the outbox to the broker. Nothing else talks to the broker.

Claim (a short transaction), publish (network, no locks held), delete. A crash between
publish and delete publishes again: every task may run twice. And once is enough for all events of
a batch: the rows say what is to be done, and a task does all that is due.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from kernel.outbox.models import OutboxEvent

logger = logging.getLogger(__name__)

Routes = Mapping[str, Sequence[str]]
Publish = Callable[[str, str], None]

BATCH: Final = 200
LEASE: Final = timedelta(seconds=30)


def relay_once(*, routes: Routes, publish: Publish, now: datetime) -> int:
    """Publish the tasks of up to 200 waiting events, oldest first, and say how many events.

    `publish(task, request_id)` gets each task once, for the request of the first event that asks
    for it. It may raise: what was not published is free again at once.
    An event that the table does not know (newer code has written it) stays leased for 30 seconds:
    it waits for the newer relay and holds nobody else up. So does what a killed relay had taken.
    """
    events = _claim(now=now)
    sent: list[int] = []
    published: set[str] = set()
    try:
        for event in events:
            if event.name not in routes:
                logger.error("event is not in the event table", extra={"event_name": event.name})
                continue
            for task in routes[event.name]:
                if task not in published:
                    publish(task, event.request_id)
                    published.add(task)
            sent.append(event.pk)
    finally:
        if sent:
            OutboxEvent.objects.filter(pk__in=sent).delete()
        known = {event.pk for event in events if event.name in routes}
        if unsent := known.difference(sent):
            OutboxEvent.objects.filter(pk__in=unsent).update(leased_until=None)
    return len(sent)


def _claim(*, now: datetime) -> list[OutboxEvent]:
    with transaction.atomic(durable=True):
        free = Q(leased_until=None) | Q(leased_until__lt=now)
        waiting = OutboxEvent.objects.select_for_update(skip_locked=True).filter(free)
        events = list(waiting.order_by("id")[:BATCH])
        OutboxEvent.objects.filter(pk__in=[event.pk for event in events]).update(
            leased_until=now + LEASE
        )
    return events
