"""The artifacts that can be found in a project: none of an open build, none that has expired.

What is yanked is found by its digest and in its build, and by no name that may mean others.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.db import connection
from django.db.models import Q, QuerySet

from artifacts.domain.lifecycle import BuildState
from artifacts.domain.names import is_path
from artifacts.domain.refs import is_allowed
from artifacts.models import Artifact, BlobState, Build, Project
from artifacts.queries import allowed_refs
from artifacts.queries.expiry import is_expired_sql, rules_of, unexpired
from artifacts.queries.positions import FilePosition
from kernel.digest import Sha256


def artifacts_with_digest(
    *, project: Project, digest: Sha256, limit: int, now: datetime
) -> list[Artifact]:
    """The project's published artifacts with these bytes, with blob and build, newest first."""
    return _published(project, Q(blob__sha256=digest.hex), limit, now=now)


def artifacts_at_path(*, project: Project, path: str, limit: int, now: datetime) -> list[Artifact]:
    """The project's published artifacts of this path, with blob and build, newest first."""
    wanted = Q(path=path, yank=None)
    return _published(project, wanted, limit, now=now) if is_path(path) else []


def files_of(build: Build, *, prefix: str, after: str, limit: int, now: datetime) -> list[Artifact]:
    """The build's files whose path begins so, behind that path, with blob and contribution."""
    found = unexpired(build.artifacts.all(), project=build.project, now=now)
    found = found.select_related("blob", "contribution", "yank").filter(path__gt=after)
    return list(found.filter(path__startswith=prefix).order_by("path")[:limit])


def count_files(build: Build, *, now: datetime) -> int:
    """How many files of the build have not expired."""
    return unexpired(build.artifacts.all(), project=build.project, now=now).count()


def artifacts_by_path(
    *, project: Project, prefix: str, after: FilePosition | None, limit: int, now: datetime
) -> list[Artifact]:
    """The project's artifacts whose path begins so, behind the position: the newest of each first.

    Files of open builds are nobody's to see.
    """
    found = _sealed(project, now=now).filter(path__startswith=prefix)
    if after is None:
        return list(found.order_by("path", "-stored_at", "id")[:limit])
    # Two looks: a condition for both could not begin in the middle of an index.
    older = Q(stored_at__lt=after.stored_at)
    same_moment = Q(stored_at=after.stored_at, id__gt=after.artifact)
    same_path = found.filter(Q(stored_at__lte=after.stored_at) & (older | same_moment))
    shown = list(same_path.filter(path=after.path).order_by("-stored_at", "id")[:limit])
    if len(shown) < limit:
        later = found.filter(path__gt=after.path).order_by("path", "-stored_at", "id")
        shown += later[: limit - len(shown)]
    return shown


def latest_published(
    *, project: Project, path: str, ref: str, limit: int, now: datetime
) -> list[Artifact]:
    """The published artifacts of this path that may be the ref's latest, newest first.

    Of a branch or tag: those whose platform said that it is protected, or all where the project
    allows the ref. Of no ref (empty): those that came without CI identity.
    """
    found = _sealed(project, now=now).filter(ref=ref, path=path, build__state=BuildState.PUBLISHED)
    if not ref:
        found = found.filter(contribution__witnessed__isnull=True)
    elif not is_allowed(ref, allowed_refs(project=project)):
        found = found.filter(ref_is_protected=True)
    return list(found.order_by("-stored_at", "id")[:limit])


# For each digest a look into the index by blob; a window over all of them would read every
# artifact of an empty file. Django's ORM cannot say LATERAL.
_BY_DIGEST: Final = """
    SELECT found.id FROM unnest(%s::text[]) AS asked (sha256)
    JOIN blob ON blob.sha256 = asked.sha256 AND blob.state = %s
    CROSS JOIN LATERAL (
        SELECT artifact.id FROM artifact JOIN build ON build.id = artifact.build_id
        WHERE artifact.blob_id = blob.id AND artifact.project_id = %s AND build.state <> %s
            AND NOT ({is_expired})
        ORDER BY artifact.stored_at DESC LIMIT %s
    ) AS found
"""


def artifacts_with_digests(
    *, project: Project, digests: Iterable[Sha256], limit: int, now: datetime
) -> list[Artifact]:
    """The project's artifacts that have one of the digests, the newest of each, at most `limit`."""
    wanted = [digest.hex for digest in digests]
    expired = is_expired_sql(rules_of(project), now=now)
    given: list[Any] = [wanted, BlobState.LIVE.value, project.pk, BuildState.OPEN.value]
    with connection.cursor() as cursor:
        cursor.execute(
            _BY_DIGEST.format(is_expired=expired.text), [*given, *expired.parameters, limit]
        )
        ids = [row[0] for row in cursor.fetchall()]
    found = Artifact.objects.select_related("blob", "build", "yank").filter(pk__in=ids)
    return list(found.order_by("-stored_at", "id"))


def _sealed(project: Project, *, now: datetime) -> QuerySet[Artifact]:
    found = unexpired(Artifact.objects.all(), project=project, now=now)
    found = found.select_related("blob", "build", "project__organization", "yank")
    return found.filter(project=project, yank=None).exclude(build__state=BuildState.OPEN)


def _published(project: Project, wanted: Q, limit: int, *, now: datetime) -> list[Artifact]:
    found = unexpired(Artifact.objects.all(), project=project, now=now)
    found = found.select_related("blob", "build", "project__organization", "yank", "quarantine")
    found = found.filter(wanted, project=project, build__state=BuildState.PUBLISHED)
    return list(found.order_by("-build__published_at", "id")[:limit])
