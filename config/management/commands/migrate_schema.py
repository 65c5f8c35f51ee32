"""Bring the schema up to date, as the migrator role, one at a time, without long locks."""

from typing import Any, Final

from django.core.management import BaseCommand, call_command
from django.db import connections, transaction

from config.grants import apply_grants
from config.owner import MIGRATOR, require_owner

ADVISORY_LOCK: Final = 0x5745_4C4C  # any number that nothing else in this database uses


class Command(BaseCommand):
    """Migrate under an advisory lock, then apply the runtime role's grants."""

    help = __doc__ or ""
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own declaration

    def handle(self, *_args: Any, verbosity: int = 1, **_options: Any) -> None:  # noqa: ANN401
        """Run it; a second one at the same time waits for the first and then finds no work."""
        require_owner()
        connection = connections[MIGRATOR]
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [ADVISORY_LOCK])
            # A migration that cannot get its lock quickly must not queue all traffic behind it.
            cursor.execute("SET lock_timeout = '4s'")
            cursor.execute("SET statement_timeout = '5s'")
        try:
            call_command("migrate", database=MIGRATOR, interactive=False, verbosity=verbosity)
            with transaction.atomic(using=MIGRATOR, durable=True):
                apply_grants(migrator=MIGRATOR)
        finally:
            connection.close()
