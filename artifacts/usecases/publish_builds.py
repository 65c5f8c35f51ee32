"""Publish builds: their attestations are recorded, and their files become visible (step 7)."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from artifacts.domain.lifecycle import BuildState, move
from artifacts.errors import BuildNotFound
from artifacts.events import BuildPublished
from artifacts.models import Build
from kernel.connections import joins_transaction
from kernel.outbox.emit import emit_all


def publish_builds(*, builds: Collection[UUID], now: datetime) -> None:
    """Make the builds' files visible, each's together. Joins.

    Publishing what is published changes nothing.

    Raises:
        BuildNotFound: one of them does not exist; then none is published.
        IllegalMove: the same for one that was refused, or is not sealed.
    """
    joins_transaction("publish_builds")
    locked = Build.objects.select_for_update().filter(pk__in=builds).order_by("id")
    # In one order, so that two batches never wait for each other in a circle.
    states = {pk: BuildState(state) for pk, state in locked.values_list("pk", "state")}
    if not states.keys() >= set(builds):
        raise BuildNotFound
    sealed = [pk for pk, state in states.items() if state != BuildState.PUBLISHED]
    for pk in sealed:
        move(states[pk], BuildState.PUBLISHED)
    Build.objects.filter(pk__in=sealed).update(state=BuildState.PUBLISHED, published_at=now)
    emit_all([BuildPublished(build_id=pk) for pk in sealed], now=now)
