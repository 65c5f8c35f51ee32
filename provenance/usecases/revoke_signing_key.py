"""Revoke a managed signing key: from the next answer on nothing that it ever signed counts."""

from datetime import datetime

from django.db import transaction

from kernel.actor import Actor
from kernel.audit.record import record
from provenance.domain.signing_keys import with_revocation
from provenance.usecases.publish_trust_root import change_signing_keys


def revoke_signing_key(*, key: str, actor: Actor, now: datetime) -> int:
    """Publish a trust root in which the key is revoked; the answer is its version.

    Whoever has pinned an older trust root believes the key until he takes this one over.

    Raises:
        NoSuchSigningKey: no key of this id is listed.
    """
    with transaction.atomic(durable=True):
        changed = change_signing_keys(
            change=lambda keys: with_revocation(keys, key, revoked_at=now), actor=actor, now=now
        )
        record(
            actor,
            "signing-key.revoke",
            key,
            now=now,
            trust_root=changed.version,
            before=changed.before,
            after=changed.after,
        )
    return changed.version
