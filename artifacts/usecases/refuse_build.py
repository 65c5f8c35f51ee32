"""Refuse a build: it can never be attested, and says why (step 7, the other ending)."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from artifacts.domain.lifecycle import BuildState, move
from artifacts.models import Build
from kernel.connections import joins_transaction


def refuse_build(*, build_id: UUID, reason: Mapping[str, object], now: datetime) -> None:
    """Keep the reason with the build. Joins. Refusing again changes nothing: the first one stays.

    Raises:
        IllegalMove: the build is published, or is not sealed.
    """
    joins_transaction("refuse_build")
    build = Build.objects.select_for_update().get(pk=build_id)
    if build.state == BuildState.REFUSED:
        return
    build.state = move(BuildState(build.state), BuildState.REFUSED)
    build.refused = {**reason, "refused_at": now.isoformat().replace("+00:00", "Z")}
    build.save(update_fields=["state", "refused"])
