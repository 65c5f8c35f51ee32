"""Make the store able to sign: keys where there are none, and a trust root that covers them."""

from datetime import datetime

from django.db import transaction

from kernel.actor import Actor
from provenance.ports import SignerKeys
from provenance.usecases.publish_trust_root import publish_trust_root


def initialise_signer(*, keys: SignerKeys, actor: Actor, now: datetime) -> int:
    """Create what is missing and publish the trust root; the answer is its version.

    Again it changes nothing. The root is published before anything can be signed with the keys.

    Raises:
        SignerUnavailable: the key-encryption key is missing or is another one.
    """
    keys.create(now=now)
    with transaction.atomic(durable=True):
        return publish_trust_root(document=keys.trusted_root(), actor=actor, now=now)
