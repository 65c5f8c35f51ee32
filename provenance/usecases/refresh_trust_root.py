"""Follow a TUF repository: publish the trust root that it describes, as far as it only adds."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.db import transaction

from kernel.actor import Actor
from provenance.domain.trust_document import read_trust_document
from provenance.ports import SignerKeys
from provenance.queries import trust_root, trust_state
from provenance.usecases.publish_trust_root import publish_trusted_root

logger = logging.getLogger(__name__)


class ContestedKeys(Protocol):
    """The keys of a trust root that another one judges otherwise, but for an end to come."""

    def __call__(self, current: bytes, proposed: bytes, *, now: datetime) -> Sequence[object]: ...


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The version that is published now, and what only an operator may publish."""

    version: int
    contested: tuple[str, ...] = ()


def refresh_trust_root(
    *, keys: SignerKeys, contested_keys: ContestedKeys, actor: Actor, clock: Callable[[], datetime]
) -> Refreshed:
    """Publish what the signers' keys are now, unless it contradicts what is published.

    New keys and ends to come are published at once: the repository announces them before they take
    effect. What takes trust from something that is already signed, or gives an ended key trust
    again, is an operator's decision (`manage.py init_signer`); until then everything stays as it
    is. So a worker with an older description than another's changes nothing either.

    Raises:
        SignerUnavailable: the description cannot be had, or must not be believed.
        TrustRootMissing: an operator has not published the first one.
    """
    document = keys.trusted_root()
    version = trust_state().trust_root_version
    published = read_trust_document(trust_root(version=version))
    current, now = published.trusted_root, clock()
    if document == current:
        return Refreshed(version)
    contested = tuple(str(key) for key in contested_keys(current, document, now=now))
    if contested:
        logger.warning(
            "trust root not followed", extra={"version": version, "contested": contested}
        )
        return Refreshed(version, contested)
    with transaction.atomic(durable=True):
        # Whoever ended a key meanwhile is not overruled by what was read before.
        followed = publish_trusted_root(
            trusted_root=document, adding=None, actor=actor, now=now, only_over=version
        )
    return Refreshed(followed)
