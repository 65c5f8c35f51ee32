"""Give stored bytes their row, shared by all who have the same bytes (step 3)."""

from datetime import datetime
from typing import Final

from django.db import connection

from artifacts.errors import StorageUnavailable
from artifacts.models import Blob, BlobState
from artifacts.ports import StoredBytes
from kernel.connections import joins_transaction

TOO_LATE: Final = "the bytes waited too long for their row"

# FOR SHARE: a collector that marks the blob takes FOR UPDATE, so it either sees our reference
# after we commit, or we no longer see its blob live. Django's ORM cannot say FOR SHARE.
_LIVE: Final = "SELECT * FROM blob WHERE sha256 = %s AND state = %s FOR SHARE"


# The time is read when the row has the key: no collector can have been and gone before that.
_NEW: Final = """
    INSERT INTO blob (sha256, size_bytes, key, etag, version_id, state, stored_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT DO NOTHING RETURNING id, clock_timestamp()
"""


def store_blob(*, stored: StoredBytes, now: datetime) -> Blob:
    """Make the live blob of these bytes, or find it, locked until the commit. Joins.

    A blob on its way out counts as absent: the digest is unique only among live ones, and what
    was sent has a key of its own.

    Raises:
        StorageUnavailable: these very bytes waited for their row so long that the collector took
            them for litter.
    """
    joins_transaction("store_blob")
    # Two at once: the second waits for the first's row, does not make its own, and finds that.
    while (new := _made(stored, now=now)) is None:
        live = list(Blob.objects.raw(_LIVE, [stored.digest.hex, BlobState.LIVE.value]))
        if live:
            return live[0]
        if Blob.objects.filter(key=stored.key, state=BlobState.COLLECTING).exists():
            raise StorageUnavailable(reason=TOO_LATE)
    return new


def _made(stored: StoredBytes, *, now: datetime) -> Blob | None:
    """The new row; None where these bytes have one, or their key does."""
    new = Blob(
        sha256=stored.digest.hex,
        size_bytes=stored.size_bytes,
        key=stored.key,
        etag=stored.pin.etag,
        version_id=stored.pin.version_id,
        stored_at=now,
    )
    values = (new.sha256, new.size_bytes, new.key, new.etag, new.version_id, new.state, now)
    with connection.cursor() as cursor:
        cursor.execute(_NEW, values)
        made = cursor.fetchone()
    if made is None:
        return None
    new.pk, made_at = made
    # Collectors condemn keys that are a day old. Where the row came after one of them had been
    # and its own row had gone, this is more than a day after the first byte.
    if stored.record_before is not None and made_at >= stored.record_before:
        raise StorageUnavailable(reason=TOO_LATE)
    return new
