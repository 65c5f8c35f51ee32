"""Count what a new file adds to a quota, and refuse what is too much (step 3).

Without a quota nothing is counted, and nothing asked. With one, an upload adds to a slice of its
own, so that no row is everybody's; only near a limit uploads take turns (docs/adr/0037).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from django.db import connection

from artifacts.domain.quota import Quota, Use
from artifacts.errors import QuotaExceeded
from artifacts.models import Artifact, Organization, Project
from artifacts.models.use import SLICES
from artifacts.queries.use import Subject, arriving_bytes, counted_use, holds
from kernel.connections import joins_transaction
from kernel.digest import Sha256
from kernel.metrics import QUOTA_REFUSALS

# Whoever would still fit if as many like it were under way needs no turn.
AT_ONCE: Final = 64

_HELD: Final = """CASE WHEN EXISTS (
    SELECT 1 FROM artifact JOIN project ON project.id = artifact.project_id
    WHERE artifact.blob_id = %(blob)s AND artifact.id <> %(artifact)s
      AND (project.id = %(subject)s OR project.organization_id = %(subject)s)
) THEN 0 ELSE %(size_bytes)s::bigint END"""

# The sum is of before this statement: what it adds itself is beside it.
_COUNT: Final = """
WITH new AS (
    SELECT {physical_bytes} AS physical_bytes
), added AS (
    INSERT INTO use_slice (subject, number, files, logical_bytes, physical_bytes)
    SELECT %(subject)s, pg_backend_pid() %% %(slices)s, 1, %(size_bytes)s, new.physical_bytes
    FROM new
    ON CONFLICT (subject, number) DO UPDATE SET
        files = use_slice.files + excluded.files,
        logical_bytes = use_slice.logical_bytes + excluded.logical_bytes,
        physical_bytes = use_slice.physical_bytes + excluded.physical_bytes
)
SELECT new.physical_bytes, coalesce(sum(use_slice.files), 0)::bigint,
       coalesce(sum(use_slice.logical_bytes), 0)::bigint,
       coalesce(sum(use_slice.physical_bytes), 0)::bigint
FROM new LEFT JOIN use_slice ON use_slice.subject = %(subject)s
GROUP BY new.physical_bytes
"""
_OF_OLD_BYTES: Final = _COUNT.format(physical_bytes=_HELD)
_OF_NEW_BYTES: Final = _COUNT.format(physical_bytes="%(size_bytes)s::bigint")
_TURN: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


def count_use(*, artifact: Artifact, has_new_bytes: bool, now: datetime) -> None:
    """Add the file to what its organization and its project have. Joins.

    Bytes that are new to the whole store need not be looked for.

    Raises:
        QuotaExceeded: that would be more than one of them may have.
    """
    joins_transaction("count_use")
    for subject, quota in limited(project=artifact.project):
        before, added = _add(subject, artifact, has_new_bytes=has_new_bytes)
        many = Use(
            before.files + AT_ONCE,
            before.logical_bytes,
            before.physical_bytes + AT_ONCE * added.physical_bytes,
        )
        if quota.excess(many, over_soft_since=subject.over_soft_since, now=now) is None:
            continue
        with connection.cursor() as cursor:
            cursor.execute(_TURN, [str(subject.pk)])
        # Now with all who had their turn before: they have committed.
        _refuse_excess(subject, quota, counted_use(subject), now=now)


def require_room(*, project: Project, digest: Sha256, size_bytes: int, now: datetime) -> None:
    """Refuse bytes before they are sent, for kindness: those under way are counted as well.

    Raises:
        QuotaExceeded: the organization or the project cannot have them.
    """
    for subject, quota in limited(project=project):
        used = counted_use(subject)
        needed = 0 if holds(subject, digest) else size_bytes + arriving_bytes(subject)
        use = Use(used.files + 1, used.logical_bytes + size_bytes, used.physical_bytes + needed)
        _refuse_excess(subject, quota, use, now=now)


def is_limited(*, project: Project) -> bool:
    """Whether there is a quota that a file of the project adds to."""
    return next(limited(project=project), None) is not None


def limited(*, project: Project) -> Iterator[tuple[Subject, Quota]]:
    """The organization and the project if they have a quota; in this order, against deadlock."""
    for subject in (project.organization, project):
        quota = Quota.parse(subject.quota)
        if quota is not None:
            yield subject, quota


def _add(subject: Subject, artifact: Artifact, *, has_new_bytes: bool) -> tuple[Use, Use]:
    size_bytes = artifact.blob.size_bytes
    with connection.cursor() as cursor:
        cursor.execute(
            _OF_NEW_BYTES if has_new_bytes else _OF_OLD_BYTES,
            {
                "subject": subject.pk,
                "artifact": artifact.pk,
                "blob": artifact.blob_id,
                "size_bytes": size_bytes,
                "slices": SLICES,
            },
        )
        physical_bytes, *before = cursor.fetchone()
    return Use(*before), Use(1, size_bytes, physical_bytes)


def _refuse_excess(subject: Subject, quota: Quota, use: Use, *, now: datetime) -> None:
    excess = quota.excess(use, over_soft_since=subject.over_soft_since, now=now)
    if excess is None:
        return
    is_organization = isinstance(subject, Organization)
    QUOTA_REFUSALS.labels(excess.unit).inc()
    raise QuotaExceeded(
        of="organization" if is_organization else "project",
        name=str(subject),
        unit=excess.unit,
        level=excess.level,
        limit=excess.limit,
        would_be=excess.used,
        raised_by=(
            "an administrator of this store"
            if is_organization
            else "an owner of the project's organization"
        ),
    )
