"""First start of an embedded instance: signer, administrator, a project and two tokens.

Each part is made only where it is missing, so that a killed first start is simply repeated.
Tokens go to files that only their owner can read; the one-time password is printed once.
"""

import json
import os
import secrets
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command
from django.utils import timezone

from access import wiring as access_wiring
from access.domain.issuers import NewIssuer
from access.models import Issuer, User
from access.usecases.add_issuer import add_issuer
from access.usecases.create_token import create_token
from artifacts.models import Organization, Project
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from config.operator import OPERATOR
from config.settings.env import Profile
from kernel.actor import Permission
from provenance.domain.build_facts import Platform
from provenance.domain.builders import DEVELOPMENT_ISSUER

ADMIN: Final = "admin"
ORGANIZATION: Final = "local"
PROJECT: Final = "files"
TOKEN_LIFE: Final = timedelta(days=365)


class Command(BaseCommand):
    """Make an empty embedded instance usable."""

    help = __doc__ or ""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Where tokens go, and where the development issuer answers."""
        parser.add_argument("--admin-token-file", type=Path, required=True)
        parser.add_argument("--upload-token-file", type=Path, required=True)
        parser.add_argument("--issuer-url", required=True)

    def handle(self, **options: Any) -> None:  # noqa: ANN401 - Django's shape
        """Run it; prints one JSON object: `admin_password` is null except at the first start."""
        if settings.PROFILE is Profile.PRODUCTION:
            raise CommandError("this is for embedded instances; see docs/operate.md")
        call_command("init_signer", stdout=self.stderr)
        _development_issuer(options["issuer_url"])
        project = _project()
        _token(options["admin_token_file"], "embedded administrator", None, Permission.ADMINISTER)
        _token(options["upload_token_file"], "embedded uploads", project, Permission.UPLOAD)
        outcome = {"admin": ADMIN, "admin_password": _administrator()}
        self.stdout.write(json.dumps(outcome))


def _development_issuer(url: str) -> None:
    """The issuer's port is part of its URL; a store that moved keeps its name."""
    if not Issuer.objects.filter(name=DEVELOPMENT_ISSUER).exists():
        add_issuer(
            issuer=NewIssuer(
                name=DEVELOPMENT_ISSUER, url=url, platform=Platform.GITHUB, is_development=True
            ),
            rules=access_wiring.instance_rules(),
            actor=OPERATOR,
            now=timezone.now(),
        )


def _project() -> Project:
    now = timezone.now()
    if not Organization.objects.filter(slug=ORGANIZATION).exists():
        create_organization(actor=OPERATOR, slug=ORGANIZATION, now=now)
    found = Project.objects.filter(organization__slug=ORGANIZATION, slug=PROJECT).first()
    return found or create_project(
        actor=OPERATOR, organization=ORGANIZATION, slug=PROJECT, is_public=False, now=now
    )


def _token(file: Path, name: str, project: Project | None, permission: Permission) -> None:
    """A token whose file is gone is made again; the old one goes on until it expires."""
    if file.exists():
        return
    permissions = {permission} if project is None else {permission, Permission.READ}
    created = create_token(
        name=name,
        project=project,
        permissions=permissions,
        life=TOKEN_LIFE,
        actor=OPERATOR,
        now=timezone.now(),
    )
    unfinished = file.with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.write(created.secret)
    unfinished.rename(file)


def _administrator() -> str | None:
    if User.objects.filter(username=ADMIN).exists():
        return None
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser(ADMIN, password=password, must_change_password=True)
    return password
