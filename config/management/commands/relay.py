"""The relay: a process that moves events from the outbox to the broker, until asked to stop."""

import logging
import signal
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from django.core.management import BaseCommand
from django.db import DatabaseError, connections
from django.utils import timezone
from kombu.exceptions import KombuError

from config.celery import app
from config.events import ROUTES
from kernel.outbox.relay import relay_once

logger = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.05
LONGEST_WAIT_SECONDS: Final = 5.0


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
        health = _Health()
        while not stop.is_set():
            if not _turn(health):
                stop.wait(min(POLL_SECONDS * 2**health.failures, LONGEST_WAIT_SECONDS))
        logger.info("relay stopped")


@dataclass(slots=True)
class _Health:
    """How many turns in a row have failed, and whether that has been said."""

    failures: int = 0
    is_down: bool = False


def _turn(health: _Health) -> int:
    """Relay once; how many events moved."""
    try:
        moved = relay_once(routes=ROUTES, publish=publish, now=timezone.now())
    except (DatabaseError, KombuError, OSError) as error:
        # Events wait in their rows; said once, because an outage is one fact.
        if not health.is_down:
            logger.warning("relay cannot move events", extra={"error": str(error)})
        health.is_down = True
        health.failures += 1
        connections.close_all()
        return 0
    health.failures = 0
    if moved and health.is_down:
        health.is_down = False
        logger.info("relay moves events again")
    return moved


def publish(task: str, payload: Mapping[str, object], request_id: str) -> None:
    """Hand one task to the broker, or raise: the outbox tries again, Celery does not."""
    app.send_task(task, kwargs=dict(payload), headers={"request_id": request_id}, retry=False)
