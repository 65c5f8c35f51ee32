"""Members: what a role opens at the moment of use, and who may change whose."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.domain.places import Place
from access.domain.roles import PERMISSIONS, Role, TokenScope
from access.errors import (
    LastOwner,
    MemberNotFound,
    PasswordIsOneTime,
    RoleNotAllowed,
    TokenNotFound,
    TokenRevoked,
)
from access.models import Invitation, Membership, User
from access.queries import invitations_by, organization_place, project_place
from access.usecases.act_as import act_as
from access.usecases.authenticate import authenticate
from access.usecases.change_role import change_role
from access.usecases.create_personal_token import create_personal_token
from access.usecases.invite_member import invite_member
from access.usecases.remove_member import remove_member
from access.usecases.revoke_personal_token import revoke_personal_token
from artifacts.models import Organization, Project
from kernel.actor import (
    ANONYMOUS,
    Actor,
    Grant,
    Permission,
    PermissionMissing,
    PersonNeeded,
    Unauthenticated,
)
from kernel.audit.models import AuditRecord
from tests.factories.people import account, member, personal_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme(organization: Organization) -> Place:
    return organization_place(organization)


@pytest.fixture
def widget(project: Project) -> Place:
    return project_place(project)


@pytest.mark.parametrize("role", list(Role))
def test_grants_on_each_project_what_the_role_in_the_organization_says(
    acme: Place, project: Project, other_project: Project, role: Role
) -> None:
    actor = member("alice", acme, role)

    assert actor.grants == {
        Grant(one, place.pk) for one in PERMISSIONS[role] for place in (project, other_project)
    }


def test_grants_a_role_in_a_project_nowhere_else(
    acme: Place, widget: Place, project: Project, other_project: Project
) -> None:
    actor = member("alice", widget, Role.MAINTAINER)

    assert actor.may(Permission.ADMINISTER, project=project.pk)
    assert not actor.may(Permission.READ, project=other_project.pk)
    assert not actor.may(Permission.READ, project=None)
    assert not actor.may_in(Permission.READ, organization=acme.organization)


def test_counts_the_higher_of_two_roles(acme: Place, widget: Place, project: Project) -> None:
    alice = account("alice", acme, Role.READER)
    bob = account("bob", acme, Role.UPLOADER)
    for person, role in ((alice, Role.MAINTAINER), (bob, Role.READER)):
        Membership.objects.create(
            person=person, **widget.columns, role=role.value, since=project.created_at
        )

    assert act_as(person=alice).may(Permission.ADMINISTER, project=project.pk)
    assert act_as(person=bob).may(Permission.UPLOAD, project=project.pk)


def test_grants_nothing_on_the_instance_by_an_organization_without_projects(acme: Place) -> None:
    actor = member("alice", acme, Role.OWNER)

    assert actor.grants == frozenset()
    assert not actor.may(Permission.READ, project=None)
    assert actor.may_in(Permission.OWN, organization=acme.organization)


def test_looks_roles_up_in_one_query(acme: Place, project: Project, other_project: Project) -> None:
    person = account("alice", acme, Role.OWNER)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        act_as(person=person)

    assert len(queries) == 1
    assert project.pk != other_project.pk


def test_ends_in_the_same_second_what_a_token_could_do_by_a_role(
    acme: Place, project: Project, admin: Actor, now: datetime
) -> None:
    secret = personal_token(account("alice", acme, Role.MAINTAINER))
    assert authenticate(secret=secret, now=now).may(Permission.ADMINISTER, project=project.pk)

    change_role(place=acme, member="alice", role=Role.READER, actor=admin, now=now)
    as_reader = authenticate(secret=secret, now=now)
    remove_member(place=acme, member="alice", actor=admin, now=now)
    removed = authenticate(secret=secret, now=now)

    assert as_reader.grants == {Grant(Permission.READ, project.pk)}
    assert removed.grants == frozenset()


def test_gives_a_token_no_more_than_its_scope_nor_than_its_person(
    acme: Place, project: Project, now: datetime
) -> None:
    owner, reader = account("alice", acme, Role.OWNER), account("bob", acme, Role.READER)

    narrow = authenticate(secret=personal_token(owner, TokenScope.UPLOAD), now=now)
    wide = authenticate(secret=personal_token(reader, TokenScope.ALL), now=now)

    assert narrow.may(Permission.UPLOAD, project=project.pk)
    assert not narrow.may(Permission.ADMINISTER, project=project.pk)
    assert not narrow.may_in(Permission.OWN, organization=acme.organization)
    assert wide.grants == {Grant(Permission.READ, project.pk)}


def test_lets_no_narrow_token_make_a_wider_one(acme: Place, now: datetime) -> None:
    owner = account("alice", acme, Role.OWNER)
    life = timedelta(hours=1)
    narrow = authenticate(secret=personal_token(owner, TokenScope.READ), now=now)
    whole = authenticate(secret=personal_token(owner), now=now)

    made = create_personal_token(name="x", scope=TokenScope.ALL, life=life, actor=whole, now=now)
    assert made.secret.startswith("srp_")
    for actor, refusal in (
        (narrow, PersonNeeded),
        (Actor("token:1", frozenset({Grant(Permission.ADMINISTER)})), PersonNeeded),
        (ANONYMOUS, Unauthenticated),
    ):
        with pytest.raises(refusal):
            create_personal_token(name="x", scope=TokenScope.READ, life=life, actor=actor, now=now)


def test_keeps_an_administrators_narrow_token_from_administering(now: datetime) -> None:
    root = User.objects.create_superuser("root")

    narrow = authenticate(secret=personal_token(root, TokenScope.READ), now=now)
    whole = authenticate(secret=personal_token(root), now=now)

    assert narrow.grants == {Grant(Permission.READ)}
    assert whole.grants == {Grant(Permission.ADMINISTER)}


def test_ends_tokens_with_the_account(now: datetime) -> None:
    person = account("alice")
    secret = personal_token(person)
    assert authenticate(secret=secret, now=now).person == person.pk

    User.objects.filter(pk=person.pk).update(must_change_password=True)
    with pytest.raises(PasswordIsOneTime):
        authenticate(secret=secret, now=now)
    User.objects.filter(pk=person.pk).update(is_active=False)
    with pytest.raises(TokenRevoked):
        authenticate(secret=secret, now=now)


def test_revokes_ones_own_tokens_and_no_others(now: datetime) -> None:
    alice, bob = account("alice"), account("bob")
    secret = personal_token(alice)
    token = alice.tokens.get()

    with pytest.raises(TokenNotFound):
        revoke_personal_token(token_id=token.pk, actor=act_as(person=bob), now=now)
    assert authenticate(secret=secret, now=now).person == alice.pk
    revoke_personal_token(token_id=token.pk, actor=act_as(person=alice), now=now)

    with pytest.raises(TokenRevoked):
        authenticate(secret=secret, now=now)


def test_lets_nobody_below_decide_about_members(acme: Place, widget: Place, now: datetime) -> None:
    account("victim", acme, Role.READER)
    account("victim2", widget, Role.READER)
    maintainer = member("m", acme, Role.MAINTAINER)
    uploader = member("u", acme, Role.UPLOADER)
    owner = member("o", acme, Role.OWNER)

    change_role(place=acme, member="victim", role=Role.UPLOADER, actor=owner, now=now)
    change_role(place=widget, member="victim2", role=Role.UPLOADER, actor=maintainer, now=now)
    for place, name, actor in ((acme, "victim", maintainer), (widget, "victim2", uploader)):
        with pytest.raises(PermissionMissing):
            change_role(place=place, member=name, role=Role.READER, actor=actor, now=now)
        with pytest.raises(PermissionMissing):
            remove_member(place=place, member=name, actor=actor, now=now)
        with pytest.raises(PermissionMissing):
            invite_member(place=place, invitee="x", role=Role.READER, actor=actor, now=now)


def test_lets_nobody_give_more_than_they_have(acme: Place, widget: Place, now: datetime) -> None:
    maintainer = member("m", widget, Role.MAINTAINER)
    owner = member("o", acme, Role.OWNER)

    made = invite_member(place=widget, invitee="x", role=Role.MAINTAINER, actor=maintainer, now=now)
    assert made.invitation.role == "maintainer"
    with pytest.raises(RoleNotAllowed):
        invite_member(place=widget, invitee="x", role=Role.OWNER, actor=maintainer, now=now)
    with pytest.raises(RoleNotAllowed):
        change_role(place=widget, member="m", role=Role.OWNER, actor=owner, now=now)
    with pytest.raises(PermissionMissing):
        invite_member(place=acme, invitee="x", role=Role.READER, actor=maintainer, now=now)


def test_keeps_the_last_owner(acme: Place, admin: Actor, now: datetime) -> None:
    alice = member("alice", acme, Role.OWNER)
    bob = account("bob", acme, Role.OWNER)

    remove_member(place=acme, member="bob", actor=alice, now=now)
    for actor in (alice, admin):
        with pytest.raises(LastOwner):
            remove_member(place=acme, member="alice", actor=actor, now=now)
        with pytest.raises(LastOwner):
            change_role(place=acme, member="alice", role=Role.READER, actor=actor, now=now)

    Membership.objects.create(
        person=bob, **acme.columns, role="owner", since=now, given_by="the test"
    )
    User.objects.filter(pk=bob.pk).update(is_active=False)
    with pytest.raises(LastOwner):  # an account that nobody can use owns nothing
        remove_member(place=acme, member="alice", actor=admin, now=now)


def test_lets_everybody_leave(acme: Place, widget: Place, now: datetime) -> None:
    reader = member("alice", widget, Role.READER)

    remove_member(place=widget, member="alice", actor=reader, now=now)

    assert not Membership.objects.exists()
    assert acme.organization == widget.organization


def test_names_no_member_to_strangers(widget: Place, now: datetime) -> None:
    stranger = act_as(person=account("eve"))
    account("alice", widget, Role.READER)

    for name in ("alice", "nobody"):
        with pytest.raises(PermissionMissing):
            remove_member(place=widget, member=name, actor=stranger, now=now)


@pytest.mark.parametrize("name", ["nobody", "a\0b", ""])
def test_says_that_nobody_of_that_name_is_a_member(
    acme: Place, admin: Actor, now: datetime, name: str
) -> None:
    with pytest.raises(MemberNotFound):
        remove_member(place=acme, member=name, actor=admin, now=now)


def test_withdraws_the_invitations_of_who_is_removed(
    acme: Place, widget: Place, admin: Actor, now: datetime
) -> None:
    alice = member("alice", acme, Role.OWNER)
    member("bob", acme, Role.OWNER)
    for place in (acme, widget):
        invite_member(place=place, invitee="eve", role=Role.MAINTAINER, actor=alice, now=now)
    invite_member(place=widget, invitee="fay", role=Role.READER, actor=alice, now=now)

    change_role(place=acme, member="alice", role=Role.READER, actor=admin, now=now)

    left = [one.invitee for one in Invitation.objects.filter(revoked_at=None)]
    assert left == ["fay"]


def test_lists_invitations_to_those_who_decide(acme: Place, widget: Place, now: datetime) -> None:
    owner, maintainer = member("o", acme, Role.OWNER), member("m", widget, Role.MAINTAINER)
    invite_member(place=acme, invitee="x", role=Role.READER, actor=owner, now=now)
    invite_member(place=widget, invitee="y", role=Role.READER, actor=maintainer, now=now)

    def seen(actor: Actor) -> list[str]:
        return sorted(one.invitee for one in invitations_by(actor))

    assert seen(owner) == ["x", "y"]
    assert seen(maintainer) == ["y"]
    assert seen(member("r", acme, Role.UPLOADER)) == []


def test_records_what_changed(acme: Place, admin: Actor, now: datetime) -> None:
    account("alice", acme, Role.READER)

    change_role(place=acme, member="alice", role=Role.OWNER, actor=admin, now=now)
    change_role(place=acme, member="alice", role=Role.OWNER, actor=admin, now=now)

    told = AuditRecord.objects.get(action="member.change-role")
    assert told.target == "acme"
    assert told.organization_id == acme.organization
    assert (told.facts["before"], told.facts["after"]) == ({"role": "reader"}, {"role": "owner"})
