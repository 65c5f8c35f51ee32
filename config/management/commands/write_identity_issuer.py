"""Write the two documents of the store's identity issuer, for a proxy to serve in its place.

The proxy answers /.well-known/openid-configuration and /.well-known/jwks.json with them. They
hold no secret; what matters is that the web server cannot change them.
"""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from provenance.domain.identity_issuer import discovery_document, key_set
from provenance.queries import identity_keys


class Command(BaseCommand):
    """Write the discovery document and the key set."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """The folder."""
        parser.add_argument("folder", type=Path, help="an existing folder")

    def handle(self, *_args: Any, folder: Path, **_options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Write both files; again replaces them."""
        spkis = identity_keys()
        if not spkis:
            raise CommandError("the store has no identity key yet: run init_signer first")
        documents = {
            "openid-configuration": discovery_document(issuer=settings.PUBLIC_URL),
            "jwks.json": key_set(*spkis),
        }
        for name, document in documents.items():
            try:
                (folder / name).write_text(json.dumps(document, indent=2) + "\n")
            except OSError as error:
                raise CommandError(f"{folder / name}: {error.strerror}") from error
            self.stdout.write(f"wrote {folder / name}")
