"""Accept an invitation: as somebody who has an account, or with a new one."""

from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from access.domain.invitations import digest
from access.domain.roles import Role
from access.errors import AccountNotAllowed, InvitationNotFound
from access.models import Invitation, Membership, User
from access.queries import place_of
from kernel.actor import Actor, PersonNeeded
from kernel.audit.record import record


@dataclass(frozen=True, slots=True)
class NewAccount:
    """The account that shall be made."""

    username: str
    password: str = field(repr=False)


def accept_invitation(
    *, secret: str, actor: Actor, account: NewAccount | None, now: datetime
) -> Membership:
    """Give the actor's person, or the new account, the role; each invitation counts once.

    Who has a higher role there already keeps it.

    Raises:
        InvitationNotFound: there is none of this secret, it is over, or it names another account.
        PersonNeeded: no person asks, and no account is to be made; or both.
        AccountNotAllowed: the account cannot be made like this.
    """
    if (actor.person is None) is (account is None) or not (actor.is_anonymous or actor.person):
        raise PersonNeeded(actor=actor.name)
    with transaction.atomic(durable=True):
        invitation = _open_invitation(secret, now=now)
        person = _named(account) if account else _asking(actor)
        named = User.objects.filter(username=invitation.invitee).exclude(pk=person.pk)
        if named.exists():
            raise InvitationNotFound
        if account:
            _create(person, account, now=now)
        invitation.accepted_at = now
        invitation.accepted_by = person
        invitation.save(update_fields=["accepted_at", "accepted_by"])
        return _join(person, invitation, now=now)


def _open_invitation(secret: str, *, now: datetime) -> Invitation:
    open_ones: QuerySet[Invitation] = Invitation.objects.select_for_update(of=["self"]).filter(
        Q(inviter=None) | Q(inviter__is_active=True),
        accepted_at=None,
        revoked_at=None,
        expires_at__gt=now,
    )
    found = open_ones.select_related("organization", "project__organization")
    invitation = found.filter(secret_sha256=digest(secret)).order_by("pk").first()
    if invitation is None:
        raise InvitationNotFound
    return invitation


def _asking(actor: Actor) -> User:
    if actor.person is None:
        raise PersonNeeded(actor=actor.name)
    return User.objects.get(pk=actor.person)


def _named(account: NewAccount) -> User:
    """The account, not saved yet.

    Raises:
        AccountNotAllowed: with Django's own words about name and password.
    """
    person = User(username=User.normalize_username(account.username))
    try:
        person.clean_fields(exclude=["password"])
        validate_password(account.password, user=person)
    except ValidationError as error:
        raise AccountNotAllowed(reasons=error.messages) from None
    return person


def _create(person: User, account: NewAccount, *, now: datetime) -> None:
    person.set_password(account.password)
    person.date_joined = now
    try:
        with transaction.atomic():
            person.save(force_insert=True)
    except IntegrityError:
        raise AccountNotAllowed(reasons=["This name is taken."]) from None
    record(_as(person), "account.create", person.get_username(), now=now)


def _join(person: User, invitation: Invitation, *, now: datetime) -> Membership:
    place, role = place_of(invitation), Role(invitation.role)
    membership, is_new = Membership.objects.select_for_update().get_or_create(
        person=person,
        **place.columns,
        defaults={"role": role.value, "since": now, "given_by": invitation.created_by},
    )
    before = None if is_new else Role(membership.role)
    if before is not None and role.rank > before.rank:
        membership.role, membership.given_by = role.value, invitation.created_by
        membership.save(update_fields=["role", "given_by"])
    record(
        _as(person),
        "invitation.accept",
        place.name,
        now=now,
        organization=place.organization,
        invitation=str(invitation.pk),
        invited_by=invitation.created_by,
        member=person.get_username(),
        before={"role": before},
        after={"role": membership.role},
    )
    return membership


def _as(person: User) -> Actor:
    return Actor(name=f"user:{person.get_username()}", person=person.pk)
