"""Make an API token for a service."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from django.db import transaction

from access.domain import tokens
from access.domain.identity_token import is_text
from access.domain.roles import SERVICE_PERMISSIONS
from access.domain.tokens import LONGEST_API_LIFE, TokenKind
from access.errors import TokenNotAllowed
from access.models import Token
from kernel.actor import Actor, Permission
from kernel.audit.record import record

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from artifacts.models import Project

LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class CreatedToken:
    """The token's row, and its secret: the only time that anybody sees it."""

    token: Token
    secret: str = field(repr=False)


def create_token(
    *,
    name: str,
    project: Project | None,
    permissions: Collection[Permission],
    life: timedelta,
    actor: Actor,
    now: datetime,
) -> CreatedToken:
    """Make a token for one project, or (None) for all of the instance, and show it this once.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer what it would grant.
        TokenNotAllowed: the name, the permissions or the life cannot be given.
    """
    actor.require(Permission.ADMINISTER, project=project.id if project else None)
    if not is_text(name) or len(name) > LONGEST_NAME:
        raise TokenNotAllowed(field="name", expected=f"printable, up to {LONGEST_NAME} characters")
    if not permissions or not set(permissions) <= set(SERVICE_PERMISSIONS):
        raise TokenNotAllowed(
            field="permissions", expected=[one.value for one in SERVICE_PERMISSIONS]
        )
    if not 0 < life.total_seconds() <= LONGEST_API_LIFE.total_seconds():
        limit = int(LONGEST_API_LIFE.total_seconds())
        raise TokenNotAllowed(field="expires_in", expected=f"1 to {limit} seconds")
    secret = tokens.make(TokenKind.API)
    with transaction.atomic(durable=True):
        token = Token.objects.create(
            kind=TokenKind.API.value,
            name=name,
            secret_sha256=secret.sha256,
            project=project,
            permissions=sorted(permission.value for permission in set(permissions)),
            created_at=now,
            created_by=actor.name,
            expires_at=now + life,
        )
        record(
            actor,
            "token.create",
            str(token.id),
            now=now,
            organization=project.organization_id if project else None,
            name=name,
            project=str(project.id) if project else None,
            permissions=token.permissions,
            expires_at=token.expires_at.isoformat(),
        )
    return CreatedToken(token, secret.text)
