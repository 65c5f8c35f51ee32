"""Publish a trust root: a new version that verifies everything from the next answer on."""

from datetime import datetime

from django.db import transaction

from kernel.actor import Actor
from kernel.audit.record import record
from provenance.models import StoredTrustRoot, TrustState


def publish_trust_root(*, document: bytes, actor: Actor, now: datetime) -> int:
    """Keep the document as the newest version and say its number. Joins.

    Publishing what is current already changes nothing. A rotation publishes the root with both
    keys first, and signs with the new one afterwards.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("publish_trust_root joins a transaction")
    TrustState.objects.get_or_create(pk=1)
    state = TrustState.objects.select_for_update().get(pk=1)
    current = StoredTrustRoot.objects.filter(version=state.trust_root_version).first()
    if current is not None and bytes(current.document) == document:
        return current.version
    stored = StoredTrustRoot.objects.create(
        version=state.trust_root_version + 1, document=document, published_at=now
    )
    state.trust_root_version = stored.version
    state.save(update_fields=["trust_root_version"])
    record(actor, "trust-root.publish", str(stored.version), now=now)
    return stored.version
