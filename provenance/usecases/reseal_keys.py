"""Seal the keys that the store keeps itself under another key-encryption key."""

from datetime import datetime

from django.db import transaction

from kernel import faults
from kernel.actor import Actor
from kernel.audit.record import record
from provenance.ports import SealedKeys


def reseal_keys(*, keys: SealedKeys, actor: Actor, now: datetime) -> int:
    """Seal all of them anew or, where one cannot be opened, none; say how many it were.

    The keys stay what they are, and so does the trust root. Again is harmless: what lies under the
    new key already is left as it is. From then on the worker needs the new file.

    Raises:
        SignerUnavailable: a file is no key-encryption key, or a key lies under neither of them.
    """
    with transaction.atomic(durable=True):
        count = keys.reseal()
        faults.reach("provenance.resealed")
        if count:
            sealed = {"under_the_old_key": count, "under_the_new_key": 0}
            after = {"under_the_old_key": 0, "under_the_new_key": count}
            record(actor, "signer-keys.reseal", "attestor", now=now, before=sealed, after=after)
    return count
