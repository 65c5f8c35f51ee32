"""Start new logs after a restore from a backup: the old ones may have forgotten leaves.

To go on with them would be to tell two histories under one key, which is what a log must not do.
"""

from datetime import datetime

from django.db import transaction

from kernel.actor import Actor
from kernel.audit.record import record
from provenance.ports import SignerKeys
from provenance.usecases.publish_trust_root import publish_trusted_root


def start_new_log(*, keys: SignerKeys, actor: Actor, now: datetime) -> int:
    """Retire the logs, start new ones, publish the trust root with both; its version.

    Old bundles stay verifiable. Stop the workers first: what they sign in between is refused by
    their own check against the published root, and tried again.

    Raises:
        SignerUnavailable: the key-encryption key is missing or is another one.
    """
    keys.start_new_log(now=now)
    with transaction.atomic(durable=True):
        version = publish_trusted_root(
            trusted_root=keys.trusted_root(), adding=None, actor=actor, now=now
        )
        record(actor, "log.restart", str(version), now=now)
    return version
