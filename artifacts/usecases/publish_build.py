"""Publish a build: its attestation is recorded, and its files become visible together (step 7)."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from artifacts.domain.lifecycle import BuildState, move, states_before
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
    # One question for each build of a batch; its condition is asked again after a wait for the row.
    waiting = Build.objects.filter(pk=build_id, state__in=states_before(BuildState.PUBLISHED))
    if not waiting.update(state=BuildState.PUBLISHED, published_at=now):
        state = BuildState(Build.objects.values_list("state", flat=True).get(pk=build_id))
        if state != BuildState.PUBLISHED:
            move(state, BuildState.PUBLISHED)
        return
    emit(BuildPublished(build_id=build_id), now=now)
