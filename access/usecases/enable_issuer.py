"""Switch an issuer on again: its tokens are exchanged as before."""

from datetime import datetime

from django.db import transaction

from access.models import Issuer
from access.queries import held_issuer
from kernel.actor import Actor, Permission
from kernel.audit.record import record


def enable_issuer(*, name: str, actor: Actor, now: datetime) -> Issuer:
    """Believe it again. Tokens that were ended stay ended. A repeat changes nothing.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the instance.
        IssuerNotFound: there is none of this name.
    """
    actor.require(Permission.ADMINISTER, project=None)
    with transaction.atomic(durable=True):
        issuer = held_issuer(name)
        if issuer.disabled_at is not None:
            before = {"disabled_at": issuer.disabled_at.isoformat()}
            issuer.disabled_at = None
            issuer.save(update_fields=["disabled_at"])
            after = {"disabled_at": None}
            record(actor, "issuer.enable", issuer.name, now=now, before=before, after=after)
    return issuer
