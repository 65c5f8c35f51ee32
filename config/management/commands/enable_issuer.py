"""Switch an issuer on again: `enable_issuer NAME`."""

from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from access.usecases.enable_issuer import enable_issuer
from config.operator import OPERATOR
from kernel.errors import Refusal


class Command(BaseCommand):
    """For whoever has the machine when nobody can log in."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """The store's own name of the issuer."""
        parser.add_argument("name")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run it any number of times; a repeat changes nothing."""
        try:
            issuer = enable_issuer(name=options["name"], actor=OPERATOR, now=timezone.now())
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{issuer.name}: tokens of {issuer.url} are accepted")
