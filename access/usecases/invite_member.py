"""Invite somebody to a role in an organization or a project."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from access.domain.identity_token import is_text
from access.domain.invitations import LIFE, LONGEST_INVITEE, digest, make_secret
from access.domain.places import Place
from access.domain.roles import Role, check_grantable
from access.errors import InvitationNotAllowed
from access.models import Invitation
from kernel.actor import Actor
from kernel.audit.record import record


@dataclass(frozen=True, slots=True)
class Invited:
    """The invitation's row, and its secret: the only time that anybody sees it."""

    invitation: Invitation
    secret: str = field(repr=False)


def invite_member(
    *, place: Place, invitee: str, role: Role, actor: Actor, now: datetime
) -> Invited:
    """Make an invitation for a week, whose secret the actor hands over: no mail is sent.

    Nothing tells whether `invitee`, a name or an address, has an account.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not decide about members here.
        RoleNotAllowed, RoleAboveOwn: the role does not exist here, or is above the actor's.
        InvitationNotAllowed: the invitee cannot be written like this.
    """
    place.require_manager(actor)
    check_grantable(role, own=place.role_of(actor), is_project=place.project is not None)
    if not is_text(invitee) or len(invitee) > LONGEST_INVITEE:
        expected = f"printable, up to {LONGEST_INVITEE} characters"
        raise InvitationNotAllowed(field="invitee", expected=expected)
    secret = make_secret()
    with transaction.atomic(durable=True):
        invitation = Invitation.objects.create(
            invitee=invitee,
            **place.columns,
            role=role.value,
            secret_sha256=digest(secret),
            created_at=now,
            created_by=actor.name,
            inviter_id=actor.person,
            expires_at=now + LIFE,
        )
        record(
            actor,
            "invitation.create",
            place.name,
            now=now,
            organization=place.organization,
            invitation=str(invitation.pk),
            invitee=invitee,
            role=role.value,
            expires_at=invitation.expires_at.isoformat(),
        )
    return Invited(invitation, secret)
