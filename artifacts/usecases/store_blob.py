"""Give stored bytes their row, shared by all who have the same bytes (step 3)."""

from datetime import datetime
from typing import Final

from django.db import transaction

from artifacts.models import Blob, BlobState
from artifacts.ports import StoredBytes

# FOR SHARE: a collector that marks the blob takes FOR UPDATE, so it either sees our reference
# after we commit, or we no longer see its blob live. Django's ORM cannot say FOR SHARE.
_LIVE: Final = "SELECT * FROM blob WHERE sha256 = %s AND state = %s FOR SHARE"


def store_blob(*, stored: StoredBytes, now: datetime) -> Blob:
    """Find the live blob of these bytes, locked until the commit, or make it. Joins.

    A blob on its way out counts as absent: the digest is unique only among live ones.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("store_blob joins a transaction")
    while not (live := list(Blob.objects.raw(_LIVE, [stored.digest.hex, BlobState.LIVE.value]))):
        new = Blob(
            sha256=stored.digest.hex,
            size_bytes=stored.size_bytes,
            key=stored.key,
            stored_at=now,
        )
        # Two at once: the second waits for the first here, and finds its row in the next round.
        Blob.objects.bulk_create([new], ignore_conflicts=True)
    return live[0]
