"""Revoke a managed signing key: `revoke_signing_key ID` (docs/signers.md).

The ids are those of /.well-known/signing-keys.json.
"""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.operator import OPERATOR
from kernel.errors import Refusal
from provenance.usecases.revoke_signing_key import revoke_signing_key


class Command(BaseCommand):
    """Publish a trust root that says so."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Which key."""
        parser.add_argument("key", metavar="ID", help="the hex SHA-256 of the key (DER, SPKI)")

    def handle(self, *_args: Any, key: str, **_options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Every download answers by it at once."""
        try:
            version = revoke_signing_key(key=key, actor=OPERATOR, now=timezone.now())
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{key} counts for nothing any more (trust root {version})")
