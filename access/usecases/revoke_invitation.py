"""Take an invitation back."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from access.errors import InvitationNotFound
from access.models import Invitation
from access.queries import place_of
from kernel.actor import Actor
from kernel.audit.record import record


def revoke_invitation(*, invitation: UUID, actor: Actor, now: datetime) -> Invitation:
    """Nobody can accept it from now on. A repeat changes nothing; neither does one too late.

    Raises:
        InvitationNotFound: there is none, or the actor does not decide about members there.
    """
    with transaction.atomic(durable=True):
        locked = Invitation.objects.select_for_update(of=["self"])
        found = locked.select_related("organization", "project__organization")
        one = found.filter(pk=invitation).order_by("pk").first()
        if one is None or not place_of(one).is_managed_by(actor):
            raise InvitationNotFound
        if one.revoked_at is None and one.accepted_at is None:
            revoke(invitation=one, actor=actor, now=now)
    return one


def revoke(*, invitation: Invitation, actor: Actor, now: datetime) -> None:
    """The same for an open invitation that was found and locked. Joins."""
    place = place_of(invitation)
    invitation.revoked_at = now
    invitation.save(update_fields=["revoked_at"])
    record(
        actor,
        "invitation.revoke",
        place.name,
        now=now,
        organization=place.organization,
        invitation=str(invitation.pk),
        invitee=invitation.invitee,
        role=invitation.role,
    )
