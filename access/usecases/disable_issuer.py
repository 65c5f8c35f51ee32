"""Switch an issuer off: none of its tokens is exchanged, and none of its jobs goes on uploading."""

from datetime import datetime

from django.db import transaction

from access.models import Issuer, Token
from access.queries import held_issuer
from kernel.actor import Actor, Permission
from kernel.audit.record import record


def disable_issuer(*, name: str, actor: Actor, now: datetime) -> Issuer:
    """Believe it no longer, and end its jobs' upload tokens from the next request on.

    What was attested before stays, and is judged by the trust map. A repeat changes nothing.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the instance.
        IssuerNotFound: there is none of this name.
    """
    actor.require(Permission.ADMINISTER, project=None)
    with transaction.atomic(durable=True):
        issuer = held_issuer(name)
        if issuer.disabled_at is None:
            issuer.disabled_at = now
            issuer.save(update_fields=["disabled_at"])
            ended = Token.objects.filter(
                publisher__issuer=issuer, revoked_at=None, expires_at__gt=now
            ).update(revoked_at=now)
            record(
                actor,
                "issuer.disable",
                issuer.name,
                now=now,
                ended_tokens=ended,
                before={"disabled_at": None},
                after={"disabled_at": now.isoformat()},
            )
    return issuer
