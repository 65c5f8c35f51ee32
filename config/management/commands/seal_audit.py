"""The sealer: a process that chains the audit trail's new rows every second, until stopped."""

import logging
import signal
import threading
from types import FrameType
from typing import Any, Final

from django.core.management import BaseCommand, CommandParser
from django.db import DatabaseError, connections
from django.utils import timezone

from config.service_manager import ServiceManager
from kernel.audit.seal import seal_once

logger = logging.getLogger(__name__)

SECONDS: Final = 1.0


class Command(BaseCommand):
    """Run one sealer; of several, one at a time does the work."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """`--once` for whoever wants the newest digest now."""
        parser.add_argument("--once", action="store_true", help="seal what is there, then end")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run until SIGTERM or SIGINT."""
        if options["once"]:
            while seal_once(now=timezone.now()):
                pass
            return
        stop = threading.Event()

        def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
            stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, ask_to_stop)
        logger.info("sealer started")
        manager = ServiceManager()
        manager.ready()
        is_down = False
        while not stop.is_set():
            manager.alive()
            is_down = not _turn(is_down=is_down)
            stop.wait(SECONDS)
        logger.info("sealer stopped")


def _turn(*, is_down: bool) -> bool:
    """Seal all there is; whether the database answered. An outage is one fact, and said once."""
    try:
        while seal_once(now=timezone.now()):
            pass
    except DatabaseError as error:
        if not is_down:
            logger.warning("audit trail cannot be sealed", extra={"error": str(error)})
        connections.close_all()
        return False
    if is_down:
        logger.info("audit trail is sealed again")
    return True
