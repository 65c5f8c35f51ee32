"""Create what keys the signer lacks, and publish the trust root that covers them.

Run it with the worker's environment: it needs the attestor's key-encryption key, or the managed
key. A key that is to come is published before it signs, by running it with that key's URI.
"""

from typing import Any

from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from config.operator import OPERATOR
from kernel.errors import Refusal
from provenance import wiring
from provenance.usecases.initialise_signer import initialise_signer


class Command(BaseCommand):
    """Make the store able to sign, and everybody able to verify."""

    help = __doc__ or ""

    def handle(self, *_args: Any, **_options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run it; again is harmless."""
        try:
            version = initialise_signer(
                keys=wiring.signer_keys(), actor=OPERATOR, now=timezone.now()
            )
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"trust root {version} is published at /.well-known/trusted_root.json")
