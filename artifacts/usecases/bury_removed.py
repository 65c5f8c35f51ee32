"""Bury what was removed: tombstones, and bytes that are nobody's. With the attestation, or not."""

from datetime import datetime
from uuid import UUID

from artifacts.models import TrashedArtifact
from artifacts.queries.locking import holds_stand_still
from artifacts.queries.trash import bury, lock_removal
from kernel import faults
from kernel.connections import joins_transaction


def bury_removed(*, removal: UUID, files: int, attestation: UUID, now: datetime) -> bool:
    """Leave tombstones of a removal's files, in the transaction that keeps its attestation. Joins.

    Of all that the statement names, or of nothing: where one was put on hold, came into use or was
    restored meanwhile, it is False, and the others are free for another removal.
    """
    joins_transaction("bury_removed")
    holds_stand_still()
    going = lock_removal(removal, now=now)
    if len(going) != files or not all(going):
        TrashedArtifact.objects.filter(removal=removal).update(removal=None)
        return False
    bury(removal, attestation=attestation, now=now)
    faults.reach("artifacts.burying")
    return True
