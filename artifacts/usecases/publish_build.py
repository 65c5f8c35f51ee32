"""Publish a build: its attestation is recorded, and its files become visible together (step 7)."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from artifacts.domain.lifecycle import BuildState, move
from artifacts.events import BuildPublished
from artifacts.models import Build
from kernel.outbox.emit import emit


def publish_build(*, build_id: UUID, now: datetime) -> None:
    """Make the build's files visible. Joins. Publishing what is published changes nothing.

    Raises:
        IllegalMove: the build was refused, or is not sealed.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("publish_build joins a transaction")
    build = Build.objects.select_for_update().get(pk=build_id)
    if build.state == BuildState.PUBLISHED:
        return
    build.state = move(BuildState(build.state), BuildState.PUBLISHED)
    build.published_at = now
    build.save(update_fields=["state", "published_at"])
    emit(BuildPublished(build_id=build.pk), now=now)
