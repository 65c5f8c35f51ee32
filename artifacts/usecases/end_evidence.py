"""End the evidence of what has long been gone, when an operator says so (docs/adr/0052).

Saved first, ended then, each batch by itself: a kill leaves copies of what is still kept, and the
next run goes on.
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol
from uuid import UUID

from django.db import transaction

from artifacts.domain.evidence_clock import EvidenceRunUnderWay
from artifacts.models import Project
from artifacts.queries.ending import (
    Amount,
    builds_due,
    projects_with_tombstones,
    still_due,
)
from artifacts.queries.locking import evidence_turn, hold_builds, holds_stand_still
from kernel import faults
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from provenance.queries.comparing import ENDED
from provenance.usecases.end_bundles import Cause, end_bundles
from provenance.usecases.save_bundles import Saved

logger = logging.getLogger(__name__)

BATCH: Final = 256


class Save(Protocol):
    """Save the bundles of these builds, durably, and say which they are."""

    def __call__(self, *, builds: Collection[UUID]) -> Saved: ...


@dataclass(frozen=True, slots=True)
class Ending:
    """What an operator wants: evidence of this age ended, behind what is saved of it."""

    days: int
    save: Save

    @property
    def life(self) -> timedelta:
        """The same as a duration."""
        return timedelta(days=self.days)


def end_evidence(
    *, ending: Ending, actor: Actor, clock: Callable[[], datetime], told: Callable[[Amount], None]
) -> Amount:
    """End all evidence that nothing keeps, and say how much that was; `told` after each batch.

    It takes the rights of the role that owns the tables. Whatever begins to keep a build's evidence
    before its batch is committed keeps it.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the instance.
        EvidenceRunUnderWay: somebody else is at it.
        EvidenceNotSaved: a batch could not be saved; it is not ended, nor is any behind it.
    """
    actor.require(Permission.ADMINISTER, project=None)
    total = Amount()
    with evidence_turn() as is_ours:
        if not is_ours:
            raise EvidenceRunUnderWay
        for project in projects_with_tombstones():
            due = builds_due(project=project.pk, life=ending.life, now=clock())
            for start in range(0, len(due), BATCH):
                total += _end(project, due[start : start + BATCH], ending, actor, clock)
                told(total)
    return total


def _end(
    project: Project,
    builds: Sequence[UUID],
    ending: Ending,
    actor: Actor,
    clock: Callable[[], datetime],
) -> Amount:
    """Save and end one batch; without those that something has begun to keep meanwhile."""
    left = set(builds)
    while left:
        saved = ending.save(builds=left)
        faults.reach("artifacts.evidence-saved")
        now = clock()
        with transaction.atomic(durable=True):
            holds_stand_still()
            hold_builds(left)
            due = still_due(left, life=ending.life, now=now)
            # Else what was saved is not what ends, and it is saved again.
            ended = _end_saved(project, saved, ending, actor, now=now) if due == left else None
            faults.reach("artifacts.evidence-ending")
        if ended is not None:
            faults.reach("artifacts.evidence-ended")
            return ended
        left = due
    return Amount()


def _end_saved(
    project: Project, saved: Saved, ending: Ending, actor: Actor, *, now: datetime
) -> Amount:
    cause = Cause(days=ending.days, by=actor.name)
    end = end_bundles(scope=project.scope, saved=saved, cause=cause, now=now)
    record(
        actor,
        ENDED,
        str(project),
        now=now,
        organization=project.organization_id,
        end=str(end.pk),
        days=end.days,
        builds=end.builds,
        bundles=end.bundles,
        bundle_bytes=end.bundle_bytes,
        manifest_sha256=end.manifest_sha256,
    )
    logger.info("evidence ended", extra={"project": str(project), "bundles": end.bundles})
    return Amount(end.builds, end.bundles, end.bundle_bytes)
