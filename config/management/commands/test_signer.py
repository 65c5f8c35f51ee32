"""Sign a statement about nothing and verify it with the published trust root; say what is wrong.

Run it with the worker's environment. The statement counts for nothing; a log keeps an entry of it.
"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from kernel.errors import Refusal
from provenance import wiring
from provenance.usecases.try_signer import try_signer


class Command(BaseCommand):
    """Show that this store can sign, or why it cannot."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to keep the bundle."""
        parser.add_argument("--bundle", type=Path, help="write the bundle to this file")

    def handle(self, *_args: Any, bundle: Path | None, **_options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run it; again is harmless."""
        try:
            trial = try_signer(
                signer=wiring.signer(),
                verifier=wiring.verifier(),
                base_url=settings.PUBLIC_URL,
                now=timezone.now(),
            )
        except Refusal as refusal:
            facts = "".join(f"\n  {name}: {value}" for name, value in refusal.facts.items())
            raise CommandError(
                f"the signer {settings.SIGNER} does not work: {refusal.title()}{facts}"
            ) from refusal
        self.stdout.write(
            f"the signer {settings.SIGNER} works\n"
            f"  identity: {trial.identity}\n"
            f"  issuer: {trial.issuer}\n"
            f"  signed at: {trial.signed_at.isoformat()}\n"
            f"  log entry: {trial.log_index}"
        )
        if bundle is not None:
            bundle.write_bytes(trial.bundle)
            self.stdout.write(f"  bundle: {bundle}")
