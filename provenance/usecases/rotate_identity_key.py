"""Give the store's identity issuer another key: announce it, use it later, forget the old one."""

from datetime import datetime

from django.db import transaction

from kernel.actor import Actor
from kernel.audit.record import record
from provenance.ports import IdentityKeys


def announce_identity_key(*, keys: IdentityKeys, actor: Actor, now: datetime) -> None:
    """Show the next key in the issuer's documents; tokens are signed as before.

    Raises:
        SignerUnavailable: there is no key yet, or the key-encryption key is another one.
    """
    with transaction.atomic(durable=True):
        keys.announce(now=now)
        record(actor, "identity-key.announce", "attestor", now=now)


def adopt_identity_key(*, keys: IdentityKeys, actor: Actor, now: datetime) -> None:
    """Sign tokens with the key that was announced, and forget the other one.

    Certificates that were issued before say nothing of either key: every bundle stays verifiable.

    Raises:
        SignerUnavailable: none was announced, or it was announced just now.
    """
    with transaction.atomic(durable=True):
        keys.adopt(now=now)
        record(actor, "identity-key.adopt", "attestor", now=now)
