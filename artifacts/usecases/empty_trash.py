"""Empty the trash: what can be restored no longer becomes a tombstone, and its bytes nobody's.

What is held or in use stays in it as long as that.
"""

import logging
from datetime import datetime
from typing import Final

from django.db import transaction

from artifacts.models import Tombstone, TrashedArtifact
from artifacts.queries.locking import holds_stand_still
from artifacts.queries.trash import lock_due
from kernel import faults

logger = logging.getLogger(__name__)

BATCH: Final = 1000


def empty_trash(*, now: datetime) -> int:
    """Bury everything whose window is over, batch by batch; how much that was.

    A repeat, also after a kill, does what is left; two at once share the work.
    """
    total = 0
    while buried := _bury(now=now):
        total += buried
        faults.reach("artifacts.buried")
    if total:
        logger.info("trash emptied", extra={"artifacts": total})
    return total


def _bury(*, now: datetime) -> int:
    with transaction.atomic(durable=True):
        holds_stand_still()
        due = TrashedArtifact.objects.filter(pk__in=lock_due(now=now, limit=BATCH))
        gone = list(due.select_related("blob"))
        Tombstone.objects.bulk_create(_tombstone(one, now=now) for one in gone)
        due.delete()
        faults.reach("artifacts.burying")
    return len(gone)


def _tombstone(trashed: TrashedArtifact, *, now: datetime) -> Tombstone:
    return Tombstone(
        artifact_id=trashed.pk,
        project_id=trashed.project_id,
        build_id=trashed.build_id,
        origin=trashed.origin,
        path=trashed.path,
        ref=trashed.ref,
        sha256=trashed.blob.sha256,
        size_bytes=trashed.blob.size_bytes,
        stored_at=trashed.stored_at,
        expired_at=trashed.expired_at,
        removed_at=trashed.removed_at,
        buried_at=now,
        removed_by=trashed.removed_by,
        reason=trashed.reason,
        plan_id=trashed.plan_id,
        rule=trashed.rule,
        level=trashed.level,
        scope_id=trashed.scope_id,
        version=trashed.version,
    )
