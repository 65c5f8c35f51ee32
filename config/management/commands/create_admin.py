"""Make an administrator of the instance; prints a one-time password, good for choosing another."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from access.usecases.create_administrator import create_administrator
from config.operator import OPERATOR
from kernel.errors import Refusal


class Command(BaseCommand):
    """The first person of a store, and each other one whom nobody can invite."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """The new account's name."""
        parser.add_argument("name")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run it once for each account."""
        try:
            made = create_administrator(
                username=options["name"], actor=OPERATOR, now=timezone.now()
            )
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"log in at /admin/ as {made.person.get_username()} and choose another")
        self.stdout.write(f"one-time password: {made.password}")
