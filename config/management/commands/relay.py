"""The relay: a process that moves events from the outbox to the broker, until asked to stop."""

import logging
import signal
import threading
from collections.abc import Mapping
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
        failures = 0
        while not stop.is_set():
            moved, failures = _turn(failures)
            if not moved:
                stop.wait(min(POLL_SECONDS * 2 ** min(failures, 10), LONGEST_WAIT_SECONDS))
        logger.info("relay stopped")


def _turn(failures: int) -> tuple[int, int]:
    """Relay once; how many events moved, and how many turns in a row have failed."""
    try:
        moved = relay_once(routes=ROUTES, publish=publish, now=timezone.now())
    except (DatabaseError, KombuError, OSError) as error:
        # Events wait in their rows; said once, because an outage is one fact.
        if not failures:
            logger.warning("relay cannot move events", extra={"error": str(error)})
        connections.close_all()
        return 0, failures + 1
    if failures:
        logger.info("relay moves events again", extra={"failed_turns": failures})
    return moved, 0


def publish(task: str, payload: Mapping[str, object], request_id: str) -> None:
    """Hand one task to the broker, or raise: the outbox tries again, Celery does not."""
    app.send_task(task, kwargs=dict(payload), headers={"request_id": request_id}, retry=False)
