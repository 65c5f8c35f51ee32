"""Make a service's token: `create_token NAME --project acme/widget --permission read`."""

from datetime import timedelta
from typing import Any, Final

from django.core.management import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from access.domain.roles import SERVICE_PERMISSIONS
from access.queries import named_project
from access.usecases.create_token import create_token
from config.operator import OPERATOR
from kernel.actor import Permission
from kernel.errors import Refusal

DAYS: Final = 90


class Command(BaseCommand):
    """A token for one project, or without --project for the whole instance; printed once."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """As the API's `POST /api/v1/tokens` takes them."""
        permissions = [one.value for one in SERVICE_PERMISSIONS]
        parser.add_argument("name")
        parser.add_argument("--project", help="organization/project; without it, all of them")
        parser.add_argument(
            "--permission", action="append", required=True, choices=permissions, dest="permissions"
        )
        parser.add_argument("--days", type=int, default=DAYS)

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run it; standard output is the secret and nothing else."""
        project = None
        if options["project"] is not None:
            project = named_project(options["project"])
            if project is None:
                raise CommandError(f"there is no project {options['project']}")
        try:
            made = create_token(
                name=options["name"],
                project=project,
                permissions=[Permission(name) for name in options["permissions"]],
                life=timedelta(days=options["days"]),
                actor=OPERATOR,
                now=timezone.now(),
            )
        except Refusal as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stderr.write(f"token {made.token.id} is good until {made.token.expires_at:%Y-%m-%d}")
        self.stdout.write(made.secret)
