"""Give a member another role."""

from datetime import datetime

from django.db import transaction

from access.domain.places import Place
from access.domain.roles import Role, check_grantable, check_reach
from access.models import Membership
from access.usecases.guard_membership import keep_an_owner, locked_member, withdraw_invitations
from kernel.actor import Actor
from kernel.audit.record import record


def change_role(
    *, place: Place, member: str, role: Role, actor: Actor, now: datetime
) -> Membership:
    """From the next request on the member may what the role says. A repeat changes nothing.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not decide about members here.
        RoleNotAllowed: the role does not exist here.
        RoleAboveOwn: the old role or the new one is above the actor's own.
        MemberNotFound: nobody of that name has a role here.
        LastOwner: the organization would have no owner left.
    """
    place.require_manager(actor)
    own = place.role_of(actor)
    check_grantable(role, own=own, is_project=place.project is not None)
    with transaction.atomic(durable=True):
        membership = locked_member(place=place, member=member)
        before = Role(membership.role)
        check_reach(before, own=own)
        if before is role:
            return membership
        membership.role = role.value
        membership.given_by = actor.name
        membership.save(update_fields=["role", "given_by"])
        keep_an_owner(place=place, before=before)
        withdraw_invitations(person=membership.person, place=place, kept=role, actor=actor, now=now)
        record(
            actor,
            "member.change-role",
            place.name,
            now=now,
            organization=place.organization,
            member=member,
            before={"role": before.value},
            after={"role": role.value},
        )
    return membership
