"""Make a personal token: a person's own way in, which may never do more than the person may."""

from datetime import datetime, timedelta

from django.db import transaction

from access.domain import tokens
from access.domain.identity_token import is_text
from access.domain.roles import SCOPES, TokenScope
from access.domain.tokens import LONGEST_API_LIFE, TokenKind
from access.errors import TokenNotAllowed
from access.models import Token, User
from access.usecases.create_token import LONGEST_NAME, CreatedToken
from kernel.actor import Actor, Permission
from kernel.audit.record import record


def create_personal_token(
    *, name: str, scope: TokenScope, life: timedelta, actor: Actor, now: datetime
) -> CreatedToken:
    """Make one for the person who asks, and show it this once.

    It holds no rights of its own: what it may do is looked up when it is used, in the memberships
    that its person has then, and cut down to its scope.

    Raises:
        Unauthenticated: nobody asks.
        PersonNeeded: no person asks, or one by a token of a narrower scope.
        TokenNotAllowed: the name or the life cannot be given.
    """
    person = actor.require_whole_person()
    if not is_text(name) or len(name) > LONGEST_NAME:
        raise TokenNotAllowed(field="name", expected=f"printable, up to {LONGEST_NAME} characters")
    if not 0 < life.total_seconds() <= LONGEST_API_LIFE.total_seconds():
        limit = int(LONGEST_API_LIFE.total_seconds())
        raise TokenNotAllowed(field="expires_in", expected=f"1 to {limit} seconds")
    with transaction.atomic(durable=True):
        return issue(person=User.objects.get(pk=person), name=name, scope=scope, life=life, now=now)


def issue(
    *, person: User, name: str, scope: TokenScope, life: timedelta, now: datetime
) -> CreatedToken:
    """The same for a person who was authenticated just now. Joins."""
    secret = tokens.make(TokenKind.PERSONAL)
    actor = Actor(name=f"user:{person.get_username()}", person=person.pk)
    token = Token.objects.create(
        kind=TokenKind.PERSONAL.value,
        name=name,
        secret_sha256=secret.sha256,
        person=person,
        permissions=[one.value for one in Permission if one in SCOPES[scope]],
        created_at=now,
        created_by=actor.name,
        expires_at=now + life,
    )
    record(
        actor,
        "token.create-personal",
        str(token.id),
        now=now,
        name=name,
        scope=scope.value,
        expires_at=token.expires_at.isoformat(),
    )
    return CreatedToken(token, secret.text)
