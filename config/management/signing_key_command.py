"""What the commands that change the trust in one managed signing key have in common."""

from datetime import datetime
from typing import Any, Protocol

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.operator import OPERATOR
from kernel.actor import Actor
from kernel.errors import Refusal


class Decision(Protocol):
    """A use case about a key; it gives the version of the trust root that says so."""

    def __call__(self, *, key: str, actor: Actor, now: datetime) -> int: ...


class SigningKeyCommand(BaseCommand):
    """Publish a trust root that says so; every download answers by it at once."""

    decide: Decision
    outcome: str

    def add_arguments(self, parser: CommandParser) -> None:
        """Which key."""
        parser.add_argument("key", metavar="ID", help="the hex SHA-256 of the key (DER, SPKI)")

    def handle(self, *_args: Any, key: str, **_options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Decide about the key of that id."""
        try:
            version = self.decide(key=key, actor=OPERATOR, now=timezone.now())
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{key} {self.outcome} (trust root {version})")
