"""After a restore from a backup: retire the embedded logs and start new ones (docs/operate.md).

Run it with the worker's environment, while no worker runs.
"""

from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from config.operator import OPERATOR
from kernel.errors import Refusal
from provenance import wiring
from provenance.usecases.start_new_log import start_new_log


class Command(BaseCommand):
    """Start new logs and publish the trust root that covers old and new ones."""

    help = __doc__ or ""

    def handle(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run it once after each restore; again only starts one more log."""
        try:
            version = start_new_log(
                generations=wiring.signer_generations(), actor=OPERATOR, now=timezone.now()
            )
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"new logs; trust root {version} covers the old and the new ones")
