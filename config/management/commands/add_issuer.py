"""Accept an issuer's identity tokens: `add_issuer github.com`, or one of your own by its URL."""

from datetime import timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from access import wiring
from access.domain.identity_token import ALGORITHMS, LONGEST_LIFE
from access.domain.issuers import PRESETS, NewIssuer, preset
from access.usecases.add_issuer import add_issuer
from config.operator import OPERATOR
from kernel.errors import Refusal
from provenance.domain.build_facts import Platform


class Command(BaseCommand):
    """Trust a CI platform to say who its jobs are."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """A preset by its name, or a name of your own with --url and --platform."""
        parser.add_argument("name", help=f"{' or '.join(PRESETS)}, or the new issuer's short name")
        parser.add_argument("--url", help="the `iss` of its tokens; without it, name is a preset")
        parser.add_argument("--platform", choices=[one.value for one in Platform])
        parser.add_argument("--algorithm", action="append", choices=ALGORITHMS)
        parser.add_argument("--longest-life", type=int, default=int(LONGEST_LIFE.total_seconds()))
        parser.add_argument("--allow-private-addresses", action="store_true")

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run it once for each issuer; names and URLs are given once and for ever."""
        try:
            added = add_issuer(
                issuer=_new_issuer(options),
                rules=wiring.instance_rules(),
                actor=OPERATOR,
                now=timezone.now(),
            )
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{added.name}: tokens of {added.url} are accepted")


def _new_issuer(options: dict[str, Any]) -> NewIssuer:
    if options["url"] is None:
        return preset(options["name"])
    if options["platform"] is None:
        raise CommandError("--url needs --platform")
    return NewIssuer(
        name=options["name"],
        url=options["url"],
        platform=Platform(options["platform"]),
        algorithms=tuple(options["algorithm"] or ALGORITHMS),
        longest_life=timedelta(seconds=options["longest_life"]),
        allows_private_addresses=options["allow_private_addresses"],
    )
