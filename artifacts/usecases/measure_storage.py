"""Measure what the store, each organization and each project have, for pages that show it.

One statement over all artifacts, in the background: a page reads the rows that it leaves.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from artifacts.domain.storage import AGES
from artifacts.models import StorageDay
from artifacts.models.retention import INSTANCE
from artifacts.queries.use import PENDING_FREE
from artifacts.usecases.collect_blobs import GRACE
from kernel.outbox.emit import beat
from kernel.outbox.queries import heartbeat_age

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(minutes=15)
HEARTBEAT: Final = "measure_storage"
MOST_REFS: Final = 50
MOST_LARGEST: Final = 10
KEPT_DAYS: Final = 400
_ONE_AT_A_TIME: Final = 0x5354_4F52_4147

# Bytes are counted once a subject, so that each level is grouped by blob for itself.
_MEASURE: Final = """
WITH subject AS (
    SELECT %(instance)s::uuid AS id, NULL::uuid AS parent
    UNION ALL SELECT id, %(instance)s::uuid FROM organization
    UNION ALL SELECT id, organization_id FROM project
), of_ref AS MATERIALIZED (
    SELECT project_id, ref, blob_id, count(*) AS files, max(stored_at) AS newest
    FROM artifact GROUP BY project_id, ref, blob_id
), of_project AS MATERIALIZED (
    SELECT project_id, blob_id, sum(files) AS files, max(newest) AS newest
    FROM of_ref GROUP BY project_id, blob_id
), of_organization AS MATERIALIZED (
    SELECT project.organization_id, blob_id, sum(files) AS files, max(newest) AS newest
    FROM of_project JOIN project ON project.id = project_id
    GROUP BY project.organization_id, blob_id
), of_any AS (
    SELECT project_id AS subject, blob_id, files, newest FROM of_project
    UNION ALL SELECT organization_id, blob_id, files, newest FROM of_organization
    UNION ALL SELECT %(instance)s::uuid, blob_id, sum(files), max(newest)
        FROM of_organization GROUP BY blob_id
), held AS MATERIALIZED (
    SELECT of_any.subject, of_any.blob_id, of_any.files, blob.size_bytes,
           width_bucket(%(now)s - newest, %(ages)s::interval[]) AS age
    FROM of_any JOIN blob ON blob.id = of_any.blob_id
), aged AS (
    SELECT subject, age, sum(files) AS files, sum(files * size_bytes) AS logical_bytes,
           sum(size_bytes) AS physical_bytes
    FROM held GROUP BY subject, age
), total AS (
    SELECT subject, sum(files) AS files, sum(logical_bytes) AS logical_bytes,
           sum(physical_bytes) AS physical_bytes,
           jsonb_object_agg(age, jsonb_build_array(files, logical_bytes, physical_bytes)) AS ages
    FROM aged GROUP BY subject
), aged_ref AS (
    SELECT project_id, ref, width_bucket(%(now)s - newest, %(ages)s::interval[]) AS age,
           sum(files) AS files, sum(files * size_bytes) AS logical_bytes,
           sum(size_bytes) AS physical_bytes
    FROM of_ref JOIN blob ON blob.id = blob_id GROUP BY project_id, ref, age
), ranked_ref AS (
    SELECT project_id, ref,
           jsonb_object_agg(age, jsonb_build_array(files, logical_bytes, physical_bytes)) AS ages,
           row_number() OVER (
               PARTITION BY project_id ORDER BY sum(physical_bytes) DESC, ref
           ) AS place
    FROM aged_ref GROUP BY project_id, ref
), refs AS (
    SELECT project_id AS subject, jsonb_agg(jsonb_build_array(ref, ages) ORDER BY place) AS listed
    FROM ranked_ref WHERE place <= %(most_refs)s GROUP BY project_id
), ranked AS (
    SELECT subject, blob_id, files,
           row_number() OVER (PARTITION BY subject ORDER BY size_bytes DESC, blob_id) AS place
    FROM held
), largest AS (
    SELECT subject, jsonb_agg(jsonb_build_array(blob_id, files) ORDER BY place) AS listed
    FROM ranked WHERE place <= %(most_largest)s GROUP BY subject
), pending AS (
    {of_projects} UNION ALL {of_organizations}
    UNION ALL SELECT %(instance)s::uuid, coalesce(sum(size_bytes), 0)::bigint FROM blob
        WHERE unreferenced_at IS NOT NULL OR state = 'collecting' OR (
            EXISTS (SELECT FROM trashed_artifact WHERE trashed_artifact.blob_id = blob.id)
            AND NOT EXISTS (SELECT FROM artifact WHERE artifact.blob_id = blob.id))
)
INSERT INTO storage_day (subject, parent, day, measured_at, files, logical_bytes, physical_bytes,
    pending_free_bytes, ages, refs, largest)
SELECT subject.id, subject.parent, %(day)s, %(now)s, coalesce(total.files, 0),
       coalesce(total.logical_bytes, 0), coalesce(total.physical_bytes, 0),
       coalesce(pending.size_bytes, 0), coalesce(total.ages, '{{}}'),
       coalesce(refs.listed, '[]'), coalesce(largest.listed, '[]')
FROM subject
LEFT JOIN total ON total.subject = subject.id
LEFT JOIN refs ON refs.subject = subject.id
LEFT JOIN largest ON largest.subject = subject.id
LEFT JOIN pending ON pending.subject = subject.id
ON CONFLICT (subject, day) DO UPDATE SET
    parent = excluded.parent, measured_at = excluded.measured_at, files = excluded.files,
    logical_bytes = excluded.logical_bytes, physical_bytes = excluded.physical_bytes,
    pending_free_bytes = excluded.pending_free_bytes, ages = excluded.ages,
    refs = excluded.refs, largest = excluded.largest
"""


def measure_storage_when_due(*, now: datetime) -> bool:
    """Measure every fifteen minutes; whether it was time."""
    age = heartbeat_age(HEARTBEAT, now=now)
    if age is not None and age < EVERY:
        return False
    with transaction.atomic(durable=True):
        beat(HEARTBEAT, now=now)
    return measure_storage(now=now)


def measure_storage(*, now: datetime) -> bool:
    """Write down what there is now, in place of what was measured earlier on the same day.

    Details of earlier days go, and days of more than a year ago. False where somebody else is at
    it at this moment.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
            if not cursor.fetchone()[0]:
                return False
            cursor.execute(
                _MEASURE.format(
                    of_projects=PENDING_FREE.format(subject="project.id"),
                    of_organizations=PENDING_FREE.format(subject="project.organization_id"),
                ),
                {
                    "instance": INSTANCE,
                    "now": now,
                    "day": now.date(),
                    "ages": list(AGES),
                    "freed_after": now - GRACE,
                    "most_refs": MOST_REFS,
                    "most_largest": MOST_LARGEST,
                },
            )
            subjects = cursor.rowcount
        earlier = StorageDay.objects.filter(day__lt=now.date())
        earlier.exclude(refs=[], largest=[]).update(refs=[], largest=[])
        earlier.filter(day__lt=now.date() - timedelta(days=KEPT_DAYS)).delete()
    logger.info("storage measured", extra={"subjects": subjects})
    return True
