"""Seal the store's own keys under the key-encryption key in another file (docs/operate.md).

Run it with the worker's environment, then put the new file in the place of the old one. Until then
the worker signs nothing, and builds wait.
"""

from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.operator import OPERATOR
from kernel.errors import Refusal
from provenance import wiring
from provenance.usecases.reseal_keys import reseal_keys


class Command(BaseCommand):
    """Seal all of them, or none."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Where the new key is."""
        parser.add_argument("new_key_file", type=Path, help="32 random bytes as base64")

    def handle(self, *_args: Any, new_key_file: Path, **_options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run it; again is harmless, also after it was killed."""
        try:
            count = reseal_keys(
                keys=wiring.sealed_keys(new_key_file), actor=OPERATOR, now=timezone.now()
            )
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"{count} keys sealed anew: all lie under the key in {new_key_file} now\n"
            "put it in the place of STRONGROOM_ATTESTOR_KEY_FILE"
        )
