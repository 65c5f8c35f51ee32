"""Accounts with roles, as invitations would have given them."""

from datetime import timedelta
from typing import Final

from django.test import Client
from django.utils import timezone

from access.domain.places import Place
from access.domain.roles import Role, TokenScope
from access.models import Membership, User
from access.usecases.act_as import act_as
from access.usecases.create_personal_token import create_personal_token
from kernel.actor import Actor

PASSWORD: Final = "a-password-of-my-own-7"


def account(name: str, place: Place | None = None, role: Role | None = None) -> User:
    """Somebody with this role there; the password is set by those tests that need one."""
    person = User.objects.create_user(name)
    if place is not None and role is not None:
        Membership.objects.create(
            person=person,
            **place.columns,
            role=role.value,
            since=timezone.now(),
            given_by="the test",
        )
    return person


def member(name: str, place: Place, role: Role) -> Actor:
    """The same, as the actor of a session."""
    return act_as(person=account(name, place, role))


def personal_token(person: User, scope: TokenScope = TokenScope.ALL) -> str:
    """The secret of a new personal token."""
    made = create_personal_token(
        name="a token",
        scope=scope,
        life=timedelta(hours=1),
        actor=act_as(person=person),
        now=timezone.now(),
    )
    return made.secret


def logged_in(person: User) -> Client:
    """The person at a browser that runs no scripts."""
    client = Client()
    client.force_login(person)
    return client


def owner_at_a_browser(place: Place, name: str = "olga") -> Client:
    """Somebody who decides about the organization."""
    return logged_in(account(name, place, Role.OWNER))


def administrator_at_a_browser() -> Client:
    """Somebody who administers the store."""
    return logged_in(User.objects.create_superuser("ada", password=None))
