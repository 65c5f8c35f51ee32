"""Publish a build, or refuse it: how the story of a sealed build ends (step 7).

Both join the transaction in which provenance records the outcome. Their arguments are positional
because they are handed down as callbacks (provenance's Endings).
"""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction

from artifacts.domain.lifecycle import BuildState, move
from artifacts.events import BuildPublished
from artifacts.models import Build
from kernel.outbox.emit import emit


def publish_build(build_id: UUID, now: datetime) -> None:
    """Make the build's files visible. Joins. Publishing what is published changes nothing.

    Raises:
        IllegalMove: the build was refused, or is not sealed.
    """
    build = _locked(build_id)
    if build.state == BuildState.PUBLISHED:
        return
    build.state = move(BuildState(build.state), BuildState.PUBLISHED)
    build.published_at = now
    build.save(update_fields=["state", "published_at"])
    emit(BuildPublished(build_id=build.pk), now=now)


def refuse_build(build_id: UUID, reason: Mapping[str, object], now: datetime) -> None:
    """Say that the build can never be attested, and why. Joins. The first reason stays.

    Raises:
        IllegalMove: the build is published, or is not sealed.
    """
    build = _locked(build_id)
    if build.state == BuildState.REFUSED:
        return
    build.state = move(BuildState(build.state), BuildState.REFUSED)
    build.refused = {**reason, "at": now.isoformat().replace("+00:00", "Z")}
    build.save(update_fields=["state", "refused"])


def _locked(build_id: UUID) -> Build:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("publishing joins a transaction")
    return Build.objects.select_for_update().get(pk=build_id)
