"""End trusted publishers and what they opened: a step of removing and distrusting them."""

from collections.abc import Sequence
from datetime import datetime

from access.models import Token, TrustedPublisher
from kernel.actor import Actor
from kernel.audit.record import record
from kernel.connections import joins_transaction


def end_publishers(*, publishers: Sequence[TrustedPublisher], actor: Actor, now: datetime) -> None:
    """Remove them, and end the upload tokens that their jobs hold, from the next request on. Joins.

    The caller has authorised the actor and waited for the project's turn.
    """
    joins_transaction("end_publishers")
    for publisher in publishers:
        # Whoever exchanges as this publisher holds the row; the token is there when we get it.
        held = TrustedPublisher.objects.select_for_update(of=("self",))
        one = held.select_related("issuer", "project").get(pk=publisher.pk)
        ended = Token.objects.filter(publisher=one, revoked_at=None, expires_at__gt=now)
        record(
            actor,
            "publisher.remove",
            str(one.project_id),
            now=now,
            organization=one.project.organization_id,
            publisher=str(one.pk),
            issuer=one.issuer.name,
            ended_tokens=ended.update(revoked_at=now),
            before={name: value for name, value in one.identity.terms().items() if value},
        )
        one.delete()
