"""Invitations: seven days, once, for whoever has the secret and is who was meant."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from access.domain.places import Place
from access.domain.roles import Role
from access.errors import (
    AccountNotAllowed,
    InvitationNotAllowed,
    InvitationNotFound,
)
from access.models import Invitation, Membership, User
from access.queries import organization_place
from access.usecases.accept_invitation import NewAccount, accept_invitation
from access.usecases.act_as import act_as
from access.usecases.invite_member import invite_member
from access.usecases.revoke_invitation import revoke_invitation
from artifacts.models import Organization
from kernel.actor import ANONYMOUS, Actor, Grant, Permission, PersonNeeded
from kernel.audit.models import AuditRecord
from tests.factories.builds import at_once
from tests.factories.people import PASSWORD, account, member

pytestmark = pytest.mark.django_db
Invite = Callable[..., str]


@pytest.fixture
def acme(organization: Organization) -> Place:
    return organization_place(organization)


@pytest.fixture
def invite(acme: Place, admin: Actor, now: datetime) -> Invite:
    def make(invitee: str = "dave@example.com", role: Role = Role.UPLOADER) -> str:
        made = invite_member(place=acme, invitee=invitee, role=role, actor=admin, now=now)
        return made.secret

    return make


def test_gives_the_role_to_who_has_an_account(acme: Place, invite: Invite, now: datetime) -> None:
    dave = act_as(person=account("dave"))

    accept_invitation(secret=invite(), actor=dave, account=None, now=now)

    membership = Membership.objects.get()
    assert (membership.person_id, membership.role) == (dave.person, "uploader")
    assert membership.organization_id == acme.organization


def test_makes_an_account_for_who_has_none(invite: Invite, now: datetime) -> None:
    new = NewAccount("dave", PASSWORD)

    accept_invitation(secret=invite(), actor=ANONYMOUS, account=new, now=now)

    dave = User.objects.get()
    assert dave.check_password(PASSWORD)
    assert (dave.is_staff, dave.is_superuser, dave.must_change_password) == (False,) * 3
    assert [one.role for one in dave.memberships.all()] == ["uploader"]
    assert PASSWORD not in str([*AuditRecord.objects.values()])


def test_counts_once(invite: Invite, now: datetime) -> None:
    secret = invite()
    accept_invitation(secret=secret, actor=act_as(person=account("a")), account=None, now=now)

    with pytest.raises(InvitationNotFound):
        accept_invitation(secret=secret, actor=act_as(person=account("b")), account=None, now=now)


@pytest.mark.django_db(transaction=True)
def test_counts_once_also_for_two_at_once(invite: Invite, now: datetime) -> None:
    secret = invite()
    people = [act_as(person=account(name)) for name in "ab"]
    gate = threading.Barrier(2)

    def accept(actor: Actor) -> Membership:
        gate.wait()
        return accept_invitation(secret=secret, actor=actor, account=None, now=now)

    outcomes = at_once(*[lambda one=one: accept(one) for one in people])

    assert sorted(type(one).__name__ for one in outcomes) == ["InvitationNotFound", "Membership"]
    assert Membership.objects.count() == 1


@pytest.mark.parametrize("days", [6.99, 7])
def test_waits_seven_days(invite: Invite, now: datetime, days: float) -> None:
    secret, dave = invite(), act_as(person=account("dave"))
    later = now + timedelta(days=days)

    if days < 7:
        accept_invitation(secret=secret, actor=dave, account=None, now=later)
    else:
        with pytest.raises(InvitationNotFound):
            accept_invitation(secret=secret, actor=dave, account=None, now=later)


def test_is_over_when_it_was_taken_back(
    acme: Place, invite: Invite, admin: Actor, now: datetime
) -> None:
    secret, dave = invite(), act_as(person=account("dave"))
    identity = Invitation.objects.get().pk

    with pytest.raises(InvitationNotFound):  # a maintainer decides about projects only
        revoke_invitation(invitation=identity, actor=member("m", acme, Role.MAINTAINER), now=now)
    revoke_invitation(invitation=identity, actor=admin, now=now)
    revoke_invitation(invitation=identity, actor=admin, now=now)

    with pytest.raises(InvitationNotFound):
        accept_invitation(secret=secret, actor=dave, account=None, now=now)
    assert AuditRecord.objects.filter(action="invitation.revoke").count() == 1


def test_is_for_the_account_that_it_names(invite: Invite, now: datetime) -> None:
    dave, eve = act_as(person=account("dave")), act_as(person=account("eve"))
    secret = invite("dave")

    with pytest.raises(InvitationNotFound):
        accept_invitation(secret=secret, actor=eve, account=None, now=now)
    with pytest.raises(InvitationNotFound):
        accept_invitation(
            secret=secret, actor=ANONYMOUS, account=NewAccount("mallory", PASSWORD), now=now
        )
    accept_invitation(secret=secret, actor=dave, account=None, now=now)


def test_ends_with_the_account_of_who_invited(acme: Place, now: datetime) -> None:
    owner = member("o", acme, Role.OWNER)
    made = invite_member(place=acme, invitee="x", role=Role.READER, actor=owner, now=now)
    User.objects.filter(username="o").update(is_active=False)

    with pytest.raises(InvitationNotFound):
        accept_invitation(
            secret=made.secret, actor=act_as(person=account("dave")), account=None, now=now
        )


def test_takes_no_higher_role_away(acme: Place, invite: Invite, now: datetime) -> None:
    owner = member("o", acme, Role.OWNER)

    accept_invitation(secret=invite(role=Role.READER), actor=owner, account=None, now=now)

    assert Membership.objects.get().role == "owner"


def test_lifts_a_lower_role(acme: Place, invite: Invite, now: datetime) -> None:
    reader = member("r", acme, Role.READER)

    accept_invitation(secret=invite(role=Role.OWNER), actor=reader, account=None, now=now)

    assert Membership.objects.get().role == "owner"


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("dave", "short"),
        ("dave", "q1w2e3r4t5y6"),
        ("davedavedave", "davedavedave"),
        ("da ve", PASSWORD),
        ("x" * 151, PASSWORD),
        ("", PASSWORD),
        ("taken", PASSWORD),
    ],
)
def test_makes_no_account_that_django_would_not(
    invite: Invite, now: datetime, name: str, password: str
) -> None:
    account("taken")
    secret = invite()

    with pytest.raises(AccountNotAllowed):
        accept_invitation(
            secret=secret, actor=ANONYMOUS, account=NewAccount(name, password), now=now
        )

    accept_invitation(secret=secret, actor=ANONYMOUS, account=NewAccount("dave", PASSWORD), now=now)


def test_wants_one_person(invite: Invite, now: datetime) -> None:
    secret, dave = invite(), act_as(person=account("dave"))
    service = Actor("token:1", frozenset({Grant(Permission.ADMINISTER)}))
    new = NewAccount("eve", PASSWORD)

    for actor, made in ((ANONYMOUS, None), (dave, new), (service, None), (service, new)):
        with pytest.raises(PersonNeeded):
            accept_invitation(secret=secret, actor=actor, account=made, now=now)


@pytest.mark.parametrize("invitee", ["", "a\nb", "x" * 201, "a\u202eb"])
def test_wants_an_invitee_that_can_be_read(invite: Invite, invitee: str) -> None:
    with pytest.raises(InvitationNotAllowed):
        invite(invitee)


def test_keeps_no_secret(invite: Invite) -> None:
    secret = invite()

    assert secret not in str([*Invitation.objects.values(), *AuditRecord.objects.values()])
