"""What each change of a membership takes care of, in the transaction of the change."""

from datetime import datetime

from django.db import connection
from django.db.models import Q

from access.domain.places import Place
from access.domain.roles import Role
from access.errors import LastOwner, MemberNotFound
from access.models import Invitation, Membership, User
from access.usecases.revoke_invitation import revoke
from kernel.actor import Actor


def locked_member(*, place: Place, member: str) -> Membership:
    """The membership of this account here; nobody else changes members here until we commit.

    One at a time in an organization, so that two owners cannot remove each other at once.

    Raises:
        MemberNotFound: nobody of that name has a role here.
    """
    if "\0" in member:  # no name of ours, and nothing that PostgreSQL would compare
        raise MemberNotFound
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"access.members:{place.organization}"],
        )
    found = Membership.objects.select_for_update(of=["self"]).select_related("person")
    here = found.filter(person__username=member, **place.columns)
    membership = here.order_by("id").first()
    if membership is None:
        raise MemberNotFound(member=member)
    return membership


def keep_an_owner(*, place: Place, before: Role) -> None:
    """Refuse that the last owner went: nobody could let anybody in again.

    Raises:
        LastOwner: that would be so.
    """
    if before is not Role.OWNER:
        return
    owners = Membership.objects.filter(
        organization_id=place.organization, role=Role.OWNER.value, person__is_active=True
    )
    if not owners.exists():
        raise LastOwner(organization=place.name)


def withdraw_invitations(
    *, person: User, place: Place, kept: Role | None, actor: Actor, now: datetime
) -> None:
    """Revoke the open invitations that this person made here above the role that is kept."""
    here = Q(**place.columns)
    if place.project is None:
        here |= Q(project__organization_id=place.organization)
    open_ones = Invitation.objects.select_for_update(of=["self"]).filter(
        here, inviter=person, accepted_at=None, revoked_at=None
    )
    found = open_ones.select_related("organization", "project__organization")
    for invitation in found.order_by("id"):
        if kept is None or Role(invitation.role).rank > kept.rank:
            revoke(invitation=invitation, actor=actor, now=now)
