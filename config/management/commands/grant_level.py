"""Decide what the confirmed jobs of an issuer may claim: `grant_level acme L2 --reason "…"`."""

from typing import Any, Final

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.operator import OPERATOR
from kernel.errors import Refusal
from provenance.domain.builders import HOSTED_CONFIRMED, MODES, Level, builder_id
from provenance.usecases.grant_level import grant_level

_LEVELS: Final = {"L0": Level.L0, "L1": Level.L1, "L2": Level.L2}


class Command(BaseCommand):
    """Record a decision about one builder of this store."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """The issuer's name, the level, why; the mode is that of hosted, confirmed jobs."""
        parser.add_argument("issuer", help="the issuer's name, as in its builder ids")
        parser.add_argument("level", choices=list(_LEVELS))
        parser.add_argument("--mode", choices=list(MODES), default=HOSTED_CONFIRMED.name)
        parser.add_argument("--reason", required=True, help="kept in the audit trail")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Every download answers by it at once."""
        builder = builder_id(
            options["issuer"], MODES[options["mode"]], base_url=settings.PUBLIC_URL
        )
        try:
            version = grant_level(
                builder=builder,
                level=_LEVELS[options["level"]],
                reason=options["reason"],
                actor=OPERATOR,
                base_url=settings.PUBLIC_URL,
                now=timezone.now(),
            )
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{builder} may claim {options['level']} (trust map {version})")
