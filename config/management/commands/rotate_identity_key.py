"""Rotate the key of the store's identity issuer, in two steps (docs/operate.md).

First `announce`: the issuer's documents show the next key. Ten minutes later, and after the files
of a proxy were written again, `adopt`: tokens are signed with it. Run both with the worker's
environment.
"""

from typing import Any, Final

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.operator import OPERATOR
from kernel.errors import Refusal
from provenance import wiring
from provenance.usecases.rotate_identity_key import adopt_identity_key, announce_identity_key

STEPS: Final = {"announce": announce_identity_key, "adopt": adopt_identity_key}


class Command(BaseCommand):
    """Take one of the two steps."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Which one."""
        parser.add_argument("step", choices=STEPS)

    def handle(self, *_args: Any, step: str, **_options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Take it; to announce again is harmless."""
        try:
            STEPS[step](keys=wiring.identity_issuer_keys(), actor=OPERATOR, now=timezone.now())
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{step}: done")
