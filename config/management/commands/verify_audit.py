"""Recompute the audit trail's chain; ends with status 1 and names the first thing that is wrong."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from kernel.audit.verify import verify_chain


class Command(BaseCommand):
    """Say whether the audit trail is as it was sealed (docs/audit.md)."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """A digest that was kept elsewhere proves what this database alone cannot."""
        parser.add_argument("--kept", default="", help="the sha256 of a seal, kept elsewhere")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run it; the last digest is what to keep elsewhere from now on."""
        with transaction.atomic():
            with connection.cursor() as cursor:  # the sealer goes on meanwhile
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            found = verify_chain(kept=options["kept"])
        if found.broken is not None:
            row = f", row {found.broken.row}" if found.broken.row is not None else ""
            raise CommandError(f"{found.broken.what}: seal {found.broken.seal}{row}")
        self.stdout.write(
            f"{found.rows} rows in {found.seals} seals are as they were sealed;"
            f" {found.unsealed} wait for a seal\nlast seal: {found.last_sha256 or 'none'}"
        )
