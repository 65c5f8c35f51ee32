"""Try to mend every damaged blob now, from its own place, another copy, or the second store."""

from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from artifacts import wiring
from artifacts.usecases.mend_blob import mend_damaged
from config.operator import OPERATOR


class Command(BaseCommand):
    """The worker does the same once an hour; the status is 1 where something stays damaged."""

    help = __doc__ or ""

    def handle(self, **_options: Any) -> None:  # noqa: ANN401 - Django's own shape
        """Print a line for each, with where its bytes were."""
        left = 0
        for blob, way in mend_damaged(copies=wiring.copies(), now=timezone.now(), actor=OPERATOR):
            left += way is None
            self.stdout.write(f"{blob.sha256}  {way or 'stays damaged'}")
        if left:
            raise CommandError(f"{left} blobs stay damaged: no whole copy of them is known")
