"""End a managed signing key after a rotation: what it signed until then stays verifiable."""

from datetime import datetime

from django.db import transaction

from kernel.actor import Actor
from kernel.audit.record import record
from provenance.domain.signing_keys import with_end
from provenance.usecases.publish_trust_root import change_signing_keys


def end_signing_key(*, key: str, actor: Actor, now: datetime) -> int:
    """Publish a trust root that believes the key until now; the answer is its version.

    Raises:
        NoSuchSigningKey: no key of this id is listed.
        SigningKeyWithoutTime: its bundles have no timestamp; it can only be revoked.
    """
    with transaction.atomic(durable=True):
        changed = change_signing_keys(
            change=lambda keys: with_end(keys, key, until=now), actor=actor, now=now
        )
        record(
            actor,
            "signing-key.end",
            key,
            now=now,
            trust_root=changed.version,
            before=changed.before,
            after=changed.after,
        )
    return changed.version
