"""Revoke a token: from the next request on it opens nothing."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from access.errors import TokenNotFound
from access.models import Token
from kernel.actor import Actor, Permission
from kernel.audit.record import record


def revoke_token(*, token_id: UUID, actor: Actor, now: datetime) -> Token:
    """Revoke it for good; a repeat changes nothing.

    Raises:
        TokenNotFound: there is none, or the actor does not administer what it opens.
    """
    with transaction.atomic(durable=True):
        token = (
            Token.objects.select_for_update(of=["self"])
            .select_related("project")
            .filter(pk=token_id)
            .order_by("pk")
            .first()
        )
        if token is None or not actor.may(Permission.ADMINISTER, project=token.project_id):
            raise TokenNotFound
        if token.revoked_at is None:
            token.revoked_at = now
            token.save(update_fields=["revoked_at"])
            owner = token.project.organization_id if token.project is not None else None
            record(
                actor,
                "token.revoke",
                str(token.id),
                now=now,
                organization=owner,
                name=token.name,
                before={"revoked_at": None},
                after={"revoked_at": now.isoformat()},
            )
    return token
