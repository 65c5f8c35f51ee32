"""End a generation of the embedded signer's keys at a moment: because they leaked, or may have."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from kernel.actor import Actor
from kernel.audit.record import record
from provenance.ports import SignerGenerations
from provenance.queries import statements_not_believed
from provenance.usecases.publish_trust_root import change_generations


@dataclass(frozen=True, slots=True)
class Ended:
    """The trust root's version, and how many of the generation's own statements it refuses."""

    version: int
    not_believed: int


def end_signer_keys(
    *,
    generations: SignerGenerations,
    generation: int,
    until: datetime,
    actor: Actor,
    now: datetime,
) -> Ended:
    """Publish a trust root that believes the generation until then, and never longer than before.

    In the place of keys that are used, others start at once. A thief dates what he signs as he
    likes, so only an end before the generation's start keeps him out: then nothing that it ever
    signed is believed. Again is harmless.

    Raises:
        RotationRefused: there is no such generation, or `until` is to come.
        SignerUnavailable: it is used, and the key-encryption key is another one.
    """
    with transaction.atomic(durable=True):
        changed = change_generations(
            generations=generations,
            change=lambda: generations.end(generation=generation, until=until, now=now),
            actor=actor,
            now=now,
        )
        record(
            actor,
            "signer-keys.end",
            str(generation),
            now=now,
            believed_until=until.isoformat(),
            before=changed.before,
            after=changed.after,
        )
    return Ended(changed.version, statements_not_believed(generation=generation))
