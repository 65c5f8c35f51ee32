"""Grant the builders of a new issuer their levels in the trust map."""

from datetime import datetime
from typing import Any

from kernel.actor import Actor
from kernel.audit.record import record
from kernel.connections import joins_transaction
from provenance.domain.build_facts import Platform
from provenance.domain.builders import builder_id, default_levels
from provenance.models import StoredTrustMap, TrustState


def grant_builders(
    *, issuer_name: str, platform: Platform, base_url: str, actor: Actor, now: datetime
) -> int:
    """Write the next version of the trust map, with this issuer's builders, and say its number.

    Joins. Each mode gets the most that it may claim; what is there already stays as it is. The
    caller has authorised the actor.
    """
    joins_transaction("grant_builders")
    TrustState.objects.get_or_create(pk=1)
    state = TrustState.objects.select_for_update().get(pk=1)
    current: dict[str, str] = {}
    platforms: dict[str, str] = {}
    if state.trust_map_version:
        stored = StoredTrustMap.objects.get(version=state.trust_map_version)
        current, platforms = stored.levels, stored.platforms
    granted: dict[str, Any] = {
        builder_id(issuer_name, mode, base_url=base_url): level.value
        for mode, level in default_levels(issuer_name, platform)
    }
    stored = StoredTrustMap.objects.create(
        version=state.trust_map_version + 1,
        levels={**granted, **current},
        platforms={issuer_name: platform.value, **platforms},
        set_at=now,
        set_by=actor.name,
    )
    state.trust_map_version = stored.version
    state.save(update_fields=["trust_map_version"])
    record(
        actor,
        "trust-map.grant",
        issuer_name,
        now=now,
        version=stored.version,
        before={builder: current.get(builder) for builder in granted},
        after={builder: stored.levels[builder] for builder in granted},
    )
    return stored.version
