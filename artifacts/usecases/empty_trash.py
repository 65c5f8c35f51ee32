"""Empty the trash: ask for the removal of what can be restored no longer (docs/adr/0049).

What is held or in use stays in it as long as that, and what was published and has no evidence.
Everything stays until the removal is attested; then `bury_removed` leaves tombstones.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from django.db import transaction

from artifacts.domain.retention import Level
from artifacts.models import TrashedArtifact
from artifacts.queries.locking import holds_stand_still
from artifacts.queries.trash import lock_due
from kernel import faults
from kernel.digest import Sha256
from provenance.domain.removal import MOST_REMOVED, Removed, Rule
from provenance.usecases.request_removal import request_removal

logger = logging.getLogger(__name__)

# Eight statements, if all are of one project.
BATCH: Final = 8 * MOST_REMOVED


def empty_trash(*, base_url: str, now: datetime) -> int:
    """Ask for the removal of everything whose window is over, batch by batch; how much that was.

    A repeat, also after a kill, does what is left; two at once share the work.
    """
    total = 0
    while asked := _ask(base_url, now=now):
        total += asked
        faults.reach("artifacts.removal-asked")
    if total:
        logger.info("removal asked for", extra={"artifacts": total})
    return total


def _ask(base_url: str, *, now: datetime) -> int:
    with transaction.atomic(durable=True):
        holds_stand_still()
        due = lock_due(now=now, limit=BATCH)
        for _project, files in groupby(due, key=lambda one: one.project_id):
            rest = list(files)
            while rest:
                _ask_once(rest[:MOST_REMOVED], base_url, now=now)
                rest = rest[MOST_REMOVED:]
        faults.reach("artifacts.asking-removal")
    return len(due)


def _ask_once(files: Sequence[TrashedArtifact], base_url: str, *, now: datetime) -> None:
    """One statement about files of one project."""
    removal = request_removal(
        scope=files[0].project.scope,
        removed=[_removed(one) for one in files],
        base_url=base_url,
        now=now,
    )
    TrashedArtifact.objects.filter(pk__in=[one.pk for one in files]).update(removal=removal)


def _removed(trashed: TrashedArtifact) -> Removed:
    return Removed(
        artifact=trashed.pk,
        build=trashed.build_id,
        path=trashed.path,
        digest=Sha256(trashed.sha256),
        size_bytes=trashed.blob.size_bytes,
        stored_at=trashed.stored_at,
        removed_at=trashed.removed_at,
        removed_by=trashed.removed_by,
        restorable_until=trashed.restorable_until,
        expired_at=trashed.expired_at,
        rule=_rule(trashed),
        plan=trashed.plan_id,
        reason=trashed.reason,
    )


def _rule(trashed: TrashedArtifact) -> Rule | None:
    if trashed.level is None:
        return None
    level = Level(trashed.level).word
    return Rule(trashed.rule, level, trashed.scope_id, trashed.version)
