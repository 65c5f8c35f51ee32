"""Give stored bytes their row, shared by all who have the same bytes (step 3)."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction

from artifacts.errors import StorageUnavailable
from artifacts.models import Blob, BlobState
from artifacts.ports import StoredBytes

TOO_LATE: Final = "the bytes waited too long for their row"

# FOR SHARE: a collector that marks the blob takes FOR UPDATE, so it either sees our reference
# after we commit, or we no longer see its blob live. Django's ORM cannot say FOR SHARE.
_LIVE: Final = "SELECT * FROM blob WHERE sha256 = %s AND state = %s FOR SHARE"


def store_blob(*, stored: StoredBytes, now: datetime) -> Blob:
    """Find the live blob of these bytes, locked until the commit, or make it. Joins.

    A blob on its way out counts as absent: the digest is unique only among live ones, and what
    was sent has a key of its own.

    Raises:
        StorageUnavailable: these very bytes waited for their row so long that the collector took
            them for litter.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("store_blob joins a transaction")
    while not (live := list(Blob.objects.raw(_LIVE, [stored.digest.hex, BlobState.LIVE.value]))):
        if Blob.objects.filter(key=stored.key, state=BlobState.COLLECTING).exists():
            raise StorageUnavailable(reason=TOO_LATE)
        new = Blob(
            sha256=stored.digest.hex,
            size_bytes=stored.size_bytes,
            key=stored.key,
            etag=stored.pin.etag,
            version_id=stored.pin.version_id,
            stored_at=now,
        )
        # Two at once: the second waits for the first here, and finds its row in the next round.
        Blob.objects.bulk_create([new], ignore_conflicts=True)
    if live[0].key == stored.key and stored.record_before is not None:
        _require_in_time(stored.record_before)
    return live[0]


def _require_in_time(record_before: datetime) -> None:
    """Only now, when the row has the key: no collector can have been and gone before it.

    It condemns keys that are a day old. Where the row came after such a one, with the collector's
    own row gone again, this is more than a day after the first byte.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp() < %s", [record_before])
        [is_in_time] = cursor.fetchone()
    if not is_in_time:
        raise StorageUnavailable(reason=TOO_LATE)
