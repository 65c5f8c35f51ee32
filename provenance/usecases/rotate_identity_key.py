"""Give the store's identity issuer another key: announce it, use it later, forget the old one."""

import hashlib
from datetime import datetime

from django.db import transaction

from kernel.actor import Actor
from kernel.audit.record import record
from provenance.ports import IdentityKeys
from provenance.queries import identity_keys


def announce_identity_key(*, keys: IdentityKeys, actor: Actor, now: datetime) -> None:
    """Show the next key in the issuer's documents; tokens are signed as before.

    Raises:
        SignerUnavailable: there is no key yet, or the key-encryption key is another one.
    """
    with transaction.atomic(durable=True):
        before = _known()
        keys.announce(now=now)
        record(actor, "identity-key.announce", "attestor", now=now, before=before, after=_known())


def adopt_identity_key(*, keys: IdentityKeys, actor: Actor, now: datetime) -> None:
    """Sign tokens with the key that was announced, and forget the other one.

    Certificates that were issued before say nothing of either key: every bundle stays verifiable.

    Raises:
        SignerUnavailable: none was announced, or it was announced just now.
    """
    with transaction.atomic(durable=True):
        before = _known()
        keys.adopt(now=now)
        record(actor, "identity-key.adopt", "attestor", now=now, before=before, after=_known())


def _known() -> dict[str, list[str]]:
    """The keys that the issuer's documents show, by the SHA-256 of their public halves."""
    return {"keys": [hashlib.sha256(one).hexdigest() for one in identity_keys()]}
