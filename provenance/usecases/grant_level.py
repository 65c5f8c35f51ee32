"""Grant the confirmed jobs of an issuer another level: an administrator's recorded decision."""

from datetime import datetime

from django.db import transaction

from kernel.actor import Actor, Permission
from kernel.audit.record import record
from provenance.domain.builders import Level, describe_builder
from provenance.errors import LevelNotAllowed
from provenance.models import StoredTrustMap, TrustState


def grant_level(
    *, builder: str, level: Level, reason: str, actor: Actor, base_url: str, now: datetime
) -> int:
    """Write the next version of the trust map, with this level for this builder; its number.

    Every download answers by it from then on. The level may be lowered, and raised up to what the
    builder's mode may claim at all. The decision's reason stands in the audit trail.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the instance.
        NotOurBuilder: the builder is none of this store's.
        LevelNotAllowed: naming the rule that it breaks.
    """
    actor.require(Permission.ADMINISTER, project=None)
    described = describe_builder(builder, base_url=base_url)
    if not reason.strip():
        raise LevelNotAllowed(rule="reason", expected="why this level may be granted")
    if level.rank > described.most.rank:
        raise LevelNotAllowed(rule="too-high", most=described.most.value, found=level.value)
    with transaction.atomic(durable=True):
        TrustState.objects.get_or_create(pk=1)
        state = TrustState.objects.select_for_update().get(pk=1)
        current = StoredTrustMap.objects.filter(version=state.trust_map_version).first()
        if current is None or builder not in current.levels:
            raise LevelNotAllowed(rule="unknown-builder", found=builder)
        stored = StoredTrustMap.objects.create(
            version=current.version + 1,
            levels={**current.levels, builder: level.value},
            platforms=current.platforms,
            set_at=now,
            set_by=actor.name,
        )
        state.trust_map_version = stored.version
        state.save(update_fields=["trust_map_version"])
        record(
            actor,
            "trust-map.level",
            builder,
            now=now,
            version=stored.version,
            reason=reason,
            before={"level": current.levels[builder]},
            after={"level": level.value},
        )
    return stored.version
