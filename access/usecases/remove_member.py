"""End a membership: what the person's tokens could do by it ends in the same moment."""

from datetime import datetime

from django.db import transaction

from access.domain.places import Place
from access.domain.roles import Role, check_reach
from access.usecases.guard_membership import keep_an_owner, locked_member, withdraw_invitations
from kernel.actor import Actor
from kernel.audit.record import record


def remove_member(*, place: Place, member: str, actor: Actor, now: datetime) -> None:
    """Take the member's role here away, and the open invitations that they made here.

    Everybody may leave. Service tokens stay: they are the project's, and listed there.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not decide about members here.
        MemberNotFound: nobody of that name has a role here.
        RoleAboveOwn: the member's role is above the actor's own.
        LastOwner: the organization would have no owner left.
    """
    place.require_member(actor)
    with transaction.atomic(durable=True):
        membership = locked_member(place=place, member=member)
        before, person = Role(membership.role), membership.person
        if person.pk != actor.person:
            place.require_manager(actor)
            check_reach(before, own=place.role_of(actor))
        membership.delete()
        keep_an_owner(place=place, before=before)
        withdraw_invitations(person=person, place=place, kept=None, actor=actor, now=now)
        record(
            actor,
            "member.remove",
            place.name,
            now=now,
            organization=place.organization,
            member=member,
            before={"role": before.value},
            after={"role": None},
        )
