"""Start new logs after a restore from a backup: the old ones may have forgotten leaves.

To go on with them would be to tell two histories under one key, which is what a log must not do.
"""

from datetime import datetime

from django.db import transaction

from kernel.actor import Actor
from kernel.audit.record import record
from provenance.errors import RotationRefused
from provenance.ports import SignerGenerations
from provenance.queries import signer_generations
from provenance.usecases.publish_trust_root import change_generations


def start_new_log(*, generations: SignerGenerations, actor: Actor, now: datetime) -> int:
    """Retire the logs, start new ones, publish the trust root with both; its version.

    The authority is replaced with them. Old bundles stay verifiable. Stop the workers first: what
    they sign in between is refused by their own check against the published root, and tried again.

    Raises:
        RotationRefused: this store has no logs of its own.
        SignerUnavailable: the key-encryption key is missing or is another one.
    """
    used = next((one.number for one in signer_generations() if one.is_used), None)
    if used is None:
        raise RotationRefused(reason="no-signing-keys", expected="STRONGROOM_SIGNER=embedded")
    with transaction.atomic(durable=True):
        changed = change_generations(
            generations=generations,
            change=lambda: generations.end(generation=used, until=now, now=now),
            actor=actor,
            now=now,
        )
        record(
            actor,
            "log.restart",
            str(changed.version),
            now=now,
            before=changed.before,
            after=changed.after,
        )
    return changed.version
