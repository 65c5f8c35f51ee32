"""What the bucket should hold because legal holds cover it, and what it was let hold."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Q

from artifacts.domain.capabilities import LEGAL_HOLD
from artifacts.models import Blob, BucketHold, Hold, HoldLifting, StoreProbe
from artifacts.queries.protecting import COVERS

# Each kind of hold by an index of its own: a thousand on single files cost no thousand passes.
_BY: Final = (
    "hold.artifact_id = artifact.id",
    "hold.build_id = artifact.build_id",
    "hold.artifact_id IS NULL AND hold.build_id IS NULL",
)
_TABLES: Final = ("artifact", "trashed_artifact")  # in sight, and in the trash
_COVERED: Final = " UNION ALL ".join(
    f"""
    SELECT artifact.blob_id FROM hold, {table} AS artifact
    WHERE {by} AND {COVERS} AND COALESCE(hold.ends_at, 'infinity') > %(now)s
    """  # noqa: S608 - words of our own
    for table in _TABLES
    for by in _BY
)
# EXCEPT, because a wrong guess of the planner makes an anti-join quadratic. What was tried longest
# ago comes first, so that what fails does not keep the rest.
_DUE: Final = f"""
    WITH due AS MATERIALIZED (
        ({_COVERED}) EXCEPT
        SELECT blob.id FROM bucket_hold JOIN blob USING (key, version_id)
        WHERE bucket_hold.held_at IS NOT NULL
    )
    SELECT blob.* FROM due JOIN blob ON blob.id = due.blob_id
        LEFT JOIN bucket_hold USING (key, version_id)
    WHERE blob.state = 'live'
    ORDER BY bucket_hold.asked_at NULLS FIRST, blob.id LIMIT %(limit)s
"""  # noqa: S608 - as above
_OVER: Final = f"""
    WITH ended AS MATERIALIZED (
        SELECT key, version_id FROM bucket_hold EXCEPT
        SELECT blob.key, blob.version_id FROM ({_COVERED}) AS covered
            JOIN blob ON blob.id = covered.blob_id
        WHERE blob.state = 'live'
    )
    SELECT bucket_hold.* FROM ended JOIN bucket_hold USING (key, version_id)
    ORDER BY bucket_hold.asked_at, bucket_hold.id LIMIT %(limit)s
"""  # noqa: S608 - as above
_EACH_SINCE: Final = " UNION ALL ".join(
    f"""
    SELECT artifact.blob_id, GREATEST(hold.placed_at, artifact.stored_at) AS since
    FROM (
        SELECT * FROM {table} WHERE blob_id = ANY(%(blobs)s)
        OFFSET 0 -- not flattened: these files first, not all of a project
    ) AS artifact, hold
    WHERE {COVERS} AND COALESCE(hold.ends_at, 'infinity') > %(now)s
    """  # noqa: S608 - as above
    for table in _TABLES
)
_SINCE: Final = f"""
    SELECT blob_id, min(since) FROM ({_EACH_SINCE}) AS covered GROUP BY blob_id
"""  # noqa: S608 - as above


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


def covered_since(blobs: Iterable[int], *, now: datetime) -> dict[int, datetime]:
    """The blobs that a hold covers now, each with since when both file and hold are there."""
    with connection.cursor() as cursor:
        cursor.execute(_SINCE, {"now": now, "blobs": list(blobs)})
        return dict(cursor.fetchall())


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
