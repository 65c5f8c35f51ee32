"""Show what a public log would have of a build's statements; nothing is sent.

Run it with the worker's environment.
"""

import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from kernel.errors import Refusal
from provenance import wiring
from provenance.usecases.preview_publication import preview_publication


class Command(BaseCommand):
    """Print it as JSON, one document for each statement."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """Which build."""
        parser.add_argument("build", type=UUID)

    def handle(self, *_args: Any, build: UUID, **_options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run it; again is harmless."""
        disclosure = wiring.disclosure()
        if disclosure is None:
            raise CommandError("nothing can become public: no STRONGROOM_PUBLIC_SIGSTORE_… is set")
        try:
            found = preview_publication(
                build=build,
                disclosure=disclosure,
                base_url=settings.PUBLIC_URL,
                now=timezone.now(),
            )
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(json.dumps(found, indent=2))
