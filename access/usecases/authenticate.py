"""Turn a presented token of the store into the actor that it stands for."""

from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q

from access.domain import tokens
from access.domain.tokens import TokenKind
from access.errors import PasswordIsOneTime, TokenExpired, TokenRevoked, TokenUnknown
from access.models import Token, User
from access.usecases.act_as import act_as
from kernel.actor import Actor, Grant, Permission, Workload
from kernel.rows import Joined

# Last use tells an administrator which tokens are still needed: minutes are exact enough, and a
# row that every request writes would be the busiest of the database.
LAST_USE_RESOLUTION: Final = timedelta(minutes=1)

_KNOWN: Final = Joined(
    "SELECT {token} FROM token WHERE secret_sha256 = %(sha256)s AND kind = %(kind)s", token=Token
)


def authenticate(*, secret: str, now: datetime) -> Actor:
    """Say who presents this secret.

    Raises:
        TokenMalformed, TokenUnknown: it is no token, or none that this store has made.
        TokenExpired, TokenRevoked: it was one.
        PasswordIsOneTime: its person has to choose a password first.
    """
    presented = tokens.parse(secret)
    known = _KNOWN.first(sha256=presented.sha256, kind=presented.kind.value)
    if known is None:
        raise TokenUnknown
    token = known.the(Token)
    if token.revoked_at is not None:
        raise TokenRevoked(revoked_at=token.revoked_at)
    if token.expires_at <= now:
        raise TokenExpired(expired_at=token.expires_at)
    if token.person is not None:
        _check_person(token.person)
    _note_use(token, now=now)
    return _actor(token)


def _check_person(person: User) -> None:
    """What ends a person's sessions ends their tokens."""
    if not person.is_active:
        raise TokenRevoked(reason="the account is not active")
    if person.must_change_password:
        raise PasswordIsOneTime


def _actor(token: Token) -> Actor:
    """What its person may now; else its own grants and, of an upload token, the job it is for."""
    if token.person is not None:
        most = frozenset(Permission(name) for name in token.permissions)
        return act_as(person=token.person, most=most)
    grants = frozenset(Grant(Permission(name), token.project_id) for name in token.permissions)
    if token.kind == TokenKind.UPLOAD:
        workload = Workload(key=token.job_key, facts=token.facts or {})
        return Actor(name=token.created_by, grants=grants, workload=workload)
    return Actor(name=f"token:{token.id}", grants=grants)


def _note_use(token: Token, *, now: datetime) -> None:
    earlier = now - LAST_USE_RESOLUTION
    if token.last_used_at is not None and token.last_used_at > earlier:
        return
    unused = Q(last_used_at=None) | Q(last_used_at__lte=earlier)
    Token.objects.filter(unused, pk=token.pk).update(last_used_at=now)
