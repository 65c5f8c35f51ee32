"""The relay: a process that moves events from the outbox to the broker, until asked to stop."""

import logging
import signal
import threading
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from celery import Celery
from django.core.management import BaseCommand
from django.db import DatabaseError, connections
from django.utils import timezone

from config.broker import failures
from config.celery import app
from config.events import ROUTES
from config.service_manager import ServiceManager
from kernel.outbox.relay import BATCH, relay_once

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.05
LONGEST_WAIT_SECONDS: Final = 5.0
MOST_DOUBLINGS: Final = 10


class Command(BaseCommand):
    """Run one relay; any number may run, each event is taken by one."""

    help = __doc__ or ""

    def handle(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 - Django's own shape
        """Run until SIGTERM or SIGINT; what is being published is finished first."""
        stop = threading.Event()

        def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, ask_to_stop)
        logger.info("relay started")
        manager = ServiceManager()
        manager.ready()
        health, outlet = Health(), Outlet(app)
        while not stop.is_set():
            manager.alive()
            # Events that come together cost their tasks once: only a queue is hurried after.
            if _turn(health, outlet) < BATCH:
                stop.wait(health.wait_seconds)
        logger.info("relay stopped")


class Outlet:
    """The relay's own connection to the broker, made when it is needed.

    Without heartbeats: a relay may have nothing to say for long, and nothing to listen to.
    """

    def __init__(self, celery: Celery) -> None:
        self._celery = celery
        self._connection = celery.connection_for_write(heartbeat=0)
        self.failures = failures(self._connection)

    def publish(self, task: str, request_id: str) -> None:
        """Hand one task to the broker, or raise: the outbox tries again, Celery does not."""
        self._celery.send_task(
            task,
            headers={"request_id": request_id},
            retry=False,
            connection=self._connection,
        )

    def hang_up(self) -> None:
        """Drop the connection: a late answer on it would confirm another message."""
        self._connection.collect()


@dataclass(slots=True)
class Health:
    """How many turns in a row have failed, and whether that has been said."""

    failures: int = 0
    is_down: bool = False

    @property
    def wait_seconds(self) -> float:
        """How long to wait before the next turn; it grows to 5 seconds in an outage."""
        doublings = min(self.failures, MOST_DOUBLINGS)  # hours of failures are no number of seconds
        return min(POLL_SECONDS * 2.0**doublings, LONGEST_WAIT_SECONDS)


def _turn(health: Health, outlet: Outlet) -> int:
    """Relay once; how many events moved."""
    down: tuple[type[BaseException], ...] = (DatabaseError, *outlet.failures)
    try:
        moved = relay_once(routes=ROUTES, publish=outlet.publish, now=timezone.now())
    except down as error:
        # Events wait in their rows; said once, because an outage is one fact.
        if not health.is_down:
            logger.warning("relay cannot move events", extra={"error": str(error)})
        health.is_down = True
        health.failures += 1
        connections.close_all()
        outlet.hang_up()
        return 0
    health.failures = 0
    if moved and health.is_down:
        health.is_down = False
        logger.info("relay moves events again")
    return moved
