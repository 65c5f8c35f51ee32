"""Give the embedded signer other keys: published first, used when everybody can know them."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from kernel.actor import Actor
from kernel.audit.record import record
from provenance.errors import RotationRefused
from provenance.ports import SignerGenerations
from provenance.usecases.publish_trust_root import change_generations

LEAST_NOTICE: Final = timedelta(days=1)
MOST_NOTICE: Final = timedelta(days=365)


def announce_signer_keys(
    *, generations: SignerGenerations, notice: timedelta, actor: Actor, now: datetime
) -> int:
    """Publish the next authority and logs, believed after the notice; the trust root's version.

    Statements are signed as before. Again it changes nothing, whatever the notice is.

    Raises:
        RotationRefused: the notice is shorter than a day or longer than a year.
        SignerUnavailable: there are no keys yet, or the key-encryption key is another one.
    """
    if not LEAST_NOTICE <= notice <= MOST_NOTICE:
        raise RotationRefused(
            reason="notice",
            found=f"{notice.days} days",
            expected=f"{LEAST_NOTICE.days} to {MOST_NOTICE.days} days",
        )
    with transaction.atomic(durable=True):
        changed = change_generations(
            generations=generations,
            change=lambda: generations.announce(believed_from=now + notice, now=now),
            actor=actor,
            now=now,
        )
        record(
            actor,
            "signer-keys.announce",
            str(changed.version),
            now=now,
            before=changed.before,
            after=changed.after,
        )
    return changed.version


def adopt_signer_keys(*, generations: SignerGenerations, actor: Actor, now: datetime) -> int:
    """Sign with the announced keys from the next batch on; the trust root's version.

    In it the old keys end now. Everything that they have signed stays verifiable, and a batch that
    they are in the middle of is tried again with the new ones.

    Raises:
        RotationRefused: none were announced, or they are not believed yet.
        SignerUnavailable: the key-encryption key is another one.
    """
    with transaction.atomic(durable=True):
        changed = change_generations(
            generations=generations,
            change=lambda: generations.adopt(now=now),
            actor=actor,
            now=now,
        )
        record(
            actor,
            "signer-keys.adopt",
            str(changed.version),
            now=now,
            before=changed.before,
            after=changed.after,
        )
    return changed.version
