"""What the bucket should hold because legal holds cover it, and what it was let hold."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Q

from artifacts.domain.capabilities import LEGAL_HOLD
from artifacts.models import Blob, BucketHold, Hold, HoldLifting, StoreProbe
from artifacts.queries.protecting import COVERS

# Blobs of what is in sight and of what is in the trash, each perhaps often.
_COVERED: Final = " UNION ALL ".join(
    f"""
    SELECT artifact.blob_id FROM hold, {table} AS artifact
    WHERE {COVERS} AND COALESCE(hold.ends_at, 'infinity') > %(now)s
    """  # noqa: S608 - words of our own
    for table in ("artifact", "trashed_artifact")
)
# What was tried longest ago comes first, so that what fails does not keep the rest.
_DUE: Final = f"""
    WITH covered AS MATERIALIZED ({_COVERED})
    SELECT blob.* FROM blob LEFT JOIN bucket_hold
        ON bucket_hold.key = blob.key AND bucket_hold.version_id = blob.version_id
    WHERE blob.state = 'live' AND bucket_hold.held_at IS NULL
        AND blob.id IN (SELECT blob_id FROM covered)
    ORDER BY bucket_hold.asked_at NULLS FIRST, blob.id LIMIT %(limit)s
"""  # noqa: S608 - as above
_OVER: Final = f"""
    WITH covered AS MATERIALIZED ({_COVERED})
    SELECT bucket_hold.* FROM bucket_hold WHERE NOT EXISTS (
        SELECT FROM blob
        WHERE blob.key = bucket_hold.key AND blob.version_id = bucket_hold.version_id
            AND blob.state = 'live' AND blob.id IN (SELECT blob_id FROM covered)
    )
    ORDER BY bucket_hold.asked_at, bucket_hold.id LIMIT %(limit)s
"""  # noqa: S608 - as above
_AMONG: Final = " UNION ".join(
    f"""
    SELECT artifact.blob_id FROM hold, {table} AS artifact
    WHERE {COVERS} AND COALESCE(hold.ends_at, 'infinity') > %(now)s
        AND hold.placed_at <= %(since)s AND artifact.blob_id = ANY(%(blobs)s)
        AND artifact.stored_at <= %(since)s
    """  # noqa: S608 - as above
    for table in ("artifact", "trashed_artifact")
)


def can_hold(*, place: str) -> bool:
    """Whether the bucket was tried, and held an object when it was."""
    found = StoreProbe.objects.filter(place=place).values_list("findings", flat=True).first()
    return any(one["name"] == LEGAL_HOLD and one["holds"] for one in found or ())


def blobs_to_hold(*, now: datetime, limit: int) -> list[Blob]:
    """What is covered by a hold that stands, and the bucket was not let hold yet."""
    return list(Blob.objects.raw(_DUE, {"now": now, "limit": limit}))


def holds_to_end(*, now: datetime, limit: int) -> list[BucketHold]:
    """What the bucket was let hold, and no hold covers any more."""
    return list(BucketHold.objects.raw(_OVER, {"now": now, "limit": limit}))


def covered_among(blobs: Iterable[int], *, since: datetime, now: datetime) -> frozenset[int]:
    """Those of the blobs of which a file and a hold that stands on it are as old as that."""
    with connection.cursor() as cursor:
        cursor.execute(_AMONG, {"now": now, "since": since, "blobs": list(blobs)})
        return frozenset(row[0] for row in cursor.fetchall())


def holds_changed(*, since: datetime) -> bool:
    """Whether a hold was placed or lifted from that moment on."""
    return (
        Hold.objects.filter(placed_at__gte=since).exists()
        or HoldLifting.objects.filter(lifted_at__gte=since).exists()
    )


def bucket_holds() -> tuple[int, int]:
    """How many objects the bucket holds for the store, and of how many that is not certain."""
    certain = BucketHold.objects.filter(~Q(held_at=None)).count()
    return certain, BucketHold.objects.filter(held_at=None).count()
