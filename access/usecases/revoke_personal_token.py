"""Revoke a token of one's own."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from access.domain.tokens import TokenKind
from access.errors import TokenNotFound
from access.models import Token
from kernel.actor import Actor, PersonNeeded, Unauthenticated
from kernel.audit.record import record


def revoke_personal_token(*, token_id: UUID, actor: Actor, now: datetime) -> Token:
    """Revoke it for good; a repeat changes nothing. A narrow token may end others of its person.

    Raises:
        Unauthenticated, PersonNeeded: no person asks.
        TokenNotFound: there is none, or it is somebody else's.
    """
    person = require_person(actor=actor)
    with transaction.atomic(durable=True):
        own = Token.objects.select_for_update().filter(
            kind=TokenKind.PERSONAL.value, person_id=person, pk=token_id
        )
        token = own.order_by("pk").first()
        if token is None:
            raise TokenNotFound
        if token.revoked_at is None:
            token.revoked_at = now
            token.save(update_fields=["revoked_at"])
            record(
                actor,
                "token.revoke",
                str(token.id),
                now=now,
                name=token.name,
                before={"revoked_at": None},
                after={"revoked_at": now.isoformat()},
            )
    return token


def require_person(*, actor: Actor) -> int:
    """The id of the person who asks.

    Raises:
        Unauthenticated, PersonNeeded: as above.
    """
    if actor.is_anonymous:
        raise Unauthenticated
    if actor.person is None:
        raise PersonNeeded(actor=actor.name)
    return actor.person
