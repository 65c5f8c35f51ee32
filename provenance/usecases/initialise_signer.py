"""Make the store able to sign: keys where there are none, and a trust root that covers them."""

from datetime import datetime

from django.db import transaction

from kernel.actor import Actor
from provenance.ports import SignerKeys
from provenance.usecases.publish_trust_root import publish_trusted_root


def initialise_signer(*, keys: SignerKeys, actor: Actor, now: datetime) -> int:
    """Create what is missing and publish the trust root; the answer is its version.

    Again it changes nothing. The root is published before anything can be signed with the keys.

    Raises:
        SignerUnavailable: a key is missing, cannot be asked for, or is another one.
    """
    keys.create(now=now)
    adding, trusted_root = keys.signing_key(now=now), keys.trusted_root()
    with transaction.atomic(durable=True):
        return publish_trusted_root(trusted_root=trusted_root, adding=adding, actor=actor, now=now)
