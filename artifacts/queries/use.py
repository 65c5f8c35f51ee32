"""How much an organization or a project has: summed from slices, or measured from its files."""

from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from artifacts.domain.quota import Use
from artifacts.domain.transfer import PENDING
from artifacts.models import Artifact, Organization, Project, Upload, UseSlice
from kernel.digest import Sha256

Subject = Organization | Project

# One statement is one snapshot: slices and files are written together, so that whatever else is
# going on, the difference is exactly what nobody has counted (files that went).
_MEASURE: Final = """
WITH held AS (
    SELECT count(*) AS files, blob.size_bytes AS size_bytes
    FROM artifact JOIN blob ON blob.id = artifact.blob_id
    WHERE artifact.project_id IN (
        SELECT id FROM project WHERE id = %(subject)s OR organization_id = %(subject)s
    )
    GROUP BY blob.id
), counted AS (
    SELECT coalesce(sum(files), 0) AS files, coalesce(sum(logical_bytes), 0) AS logical_bytes,
           coalesce(sum(physical_bytes), 0) AS physical_bytes
    FROM use_slice WHERE subject = %(subject)s
)
SELECT coalesce(sum(held.files), 0)::bigint,
       coalesce(sum(held.files * held.size_bytes), 0)::bigint,
       coalesce(sum(held.size_bytes), 0)::bigint,
       counted.files::bigint, counted.logical_bytes::bigint, counted.physical_bytes::bigint
FROM counted LEFT JOIN held ON true
GROUP BY counted.files, counted.logical_bytes, counted.physical_bytes
"""


_BY_PROJECT: Final = """
SELECT slug, sum(files)::bigint, sum(files * size_bytes)::bigint, sum(size_bytes)::bigint
FROM (
    SELECT project.slug AS slug, count(*) AS files, blob.size_bytes AS size_bytes
    FROM project JOIN artifact ON artifact.project_id = project.id
    JOIN blob ON blob.id = artifact.blob_id
    WHERE project.organization_id = %s
    GROUP BY project.slug, blob.id
) AS held
GROUP BY slug ORDER BY 4 DESC, slug LIMIT %s
"""


# By `{subject}`, a column of the project: bytes of its own digests that are in the trash alone, or
# left it less than the collector's grace ago. Whether somebody else has them is nobody's to see.
PENDING_FREE: Final = """
SELECT gone.subject, sum(gone.size_bytes)::bigint AS size_bytes
FROM (
    SELECT {subject} AS subject, tombstone.sha256, tombstone.size_bytes
    FROM tombstone JOIN project ON project.id = tombstone.project_id
    WHERE tombstone.buried_at > %(freed_after)s
    UNION SELECT {subject}, blob.sha256, blob.size_bytes
    FROM trashed_artifact JOIN project ON project.id = trashed_artifact.project_id
    JOIN blob ON blob.id = trashed_artifact.blob_id
) AS gone
WHERE NOT EXISTS (
    SELECT FROM blob JOIN artifact ON artifact.blob_id = blob.id
    JOIN project ON project.id = artifact.project_id
    WHERE blob.sha256 = gone.sha256 AND blob.state = 'live' AND {subject} = gone.subject
)
GROUP BY gone.subject
"""
_PENDING_FREE_OF: Final = "SELECT size_bytes FROM ({pending}) AS pending WHERE subject = %(of)s"


def counted_use(subject: Subject) -> Use:
    """The sum of its slices: cheap, and ahead of files that went since the last recount."""
    found = UseSlice.objects.filter(subject=subject.pk).aggregate(
        files=Sum("files"), logical=Sum("logical_bytes"), physical=Sum("physical_bytes")
    )
    return Use(found["files"] or 0, found["logical"] or 0, found["physical"] or 0)


def limited_parts(organization: UUID | None, *, most: int) -> list[tuple[Subject, Use]]:
    """The projects of the organization that have a quota, or all such organizations, by name.

    Each with what its slices say.
    """
    found: list[Subject]
    if organization is None:
        found = [*Organization.objects.filter(quota__isnull=False).order_by("slug")[:most]]
    else:
        limited = Project.objects.filter(organization=organization, quota__isnull=False)
        found = [*limited.select_related("organization").order_by("slug")[:most]]
    slices = UseSlice.objects.filter(subject__in=[one.pk for one in found]).values("subject")
    summed = slices.annotate(
        of_files=Sum("files"), logical=Sum("logical_bytes"), physical=Sum("physical_bytes")
    )
    uses = {
        one["subject"]: Use(one["of_files"], one["logical"], one["physical"])
        for one in summed.order_by("subject")
    }
    return [(one, uses.get(one.pk, Use())) for one in found]


def measured_use(subject: Subject) -> tuple[Use, Use]:
    """What it has now, from all of its files, and what its slices say in the same moment."""
    with connection.cursor() as cursor:
        cursor.execute(_MEASURE, {"subject": subject.pk})
        row = cursor.fetchone()
    return Use(*row[:3]), Use(*row[3:])


def pending_free_bytes(subject: Subject, *, freed_after: datetime) -> int:
    """Bytes that its last files left since then; the collector takes them when their grace ends."""
    column = "project.id" if isinstance(subject, Project) else "project.organization_id"
    pending = PENDING_FREE.format(subject=column)
    with connection.cursor() as cursor:
        cursor.execute(
            _PENDING_FREE_OF.format(pending=pending),
            {"freed_after": freed_after, "of": subject.pk},
        )
        row = cursor.fetchone()
    return row[0] if row is not None else 0


def use_by_project(organization: Organization, *, most: int) -> list[tuple[str, Use]]:
    """Its projects by slug with what each has, the largest first; bytes of two are in both."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_PROJECT, [organization.pk, most])
        return [(slug, Use(*figures)) for slug, *figures in cursor.fetchall()]


def holds(subject: Subject, digest: Sha256) -> bool:
    """Whether a file of its own has these bytes already, so that one more costs none."""
    of = "project" if isinstance(subject, Project) else "project__organization"
    return Artifact.objects.filter(**{of: subject.pk}, blob__sha256=digest.hex).exists()


def arriving_bytes(subject: Subject) -> int:
    """The announced bytes of its direct uploads that are not in their builds yet."""
    of = "build__project" if isinstance(subject, Project) else "build__project__organization"
    pending = Upload.objects.filter(**{of: subject.pk}, state__in=PENDING)
    return pending.aggregate(total=Sum("size_bytes"))["total"] or 0
