"""Try the bucket for everything that is promised with it, and print what follows."""

from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from artifacts import wiring
from artifacts.domain.capabilities import CONSEQUENCES
from artifacts.errors import StorageUnavailable
from artifacts.usecases.probe_store import probe_store


class Command(BaseCommand):
    """Probe now; the status is 0 where direct uploads are possible, and 1 where they are not."""

    help = __doc__ or ""

    def handle(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 - Django's own shape
        """Print a line for each promise."""
        probe, place = wiring.probe(), wiring.probed_place()
        if probe is None:
            raise CommandError("bytes are kept in a directory: there is no bucket to probe")
        try:
            found = probe_store(place=place, probe=probe, now=timezone.now())
        except StorageUnavailable as refusal:
            raise CommandError(f"the bucket cannot be reached: {refusal}") from refusal
        for finding in found.findings:
            mark = "yes" if finding["holds"] else "NO"
            self.stdout.write(f"{finding['name']:<22}{mark:<5}{finding['seen']}")
            if not finding["holds"]:
                self.stdout.write(f"{'':<27}so: {CONSEQUENCES[finding['name']]}")
        if found.missing_for_direct:
            raise CommandError(
                f"no direct uploads to {place}: {', '.join(found.missing_for_direct)}"
            )
        self.stdout.write(f"direct uploads to {place} are possible")
