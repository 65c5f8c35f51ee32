"""Whose evidence may end, and what keeps the rest: `domain/evidence_clock` as SQL over all builds.

Property tests hold the two to each other.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import connection

from artifacts.domain.evidence_clock import KeptBy
from artifacts.models import Project, Tombstone
from artifacts.queries.protecting import HELD_UNTIL, USED_UNTIL
from provenance.queries.bundles import BUNDLE_DIFFERS, IS_AWAITED, KEPT_BUNDLES

_BUILD: Final = "gone.build_id"
# What went of the build, by the name under which protections speak of a file.
_FILES: Final = f"""
    (SELECT artifact_id AS id, project_id, build_id, path, sha256 FROM tombstone
        WHERE tombstone.build_id = {_BUILD}) AS artifact
"""  # noqa: S608 - words of our own
_IN_USE_UNTIL: Final = USED_UNTIL.format(sha256="artifact.sha256")
# A time that is over comes last but one: the bundles are measured where nothing else keeps them.
_JUDGED: Final = f"""
    SELECT gone.project_id, gone.build_id, gone.last_buried_at, kept.bundles, kept.bytes, CASE
        WHEN EXISTS (SELECT FROM artifact WHERE build_id = {_BUILD}) THEN '{KeptBy.STORED}'
        WHEN EXISTS (SELECT FROM trashed_artifact WHERE build_id = {_BUILD}) THEN '{KeptBy.TRASH}'
        WHEN {IS_AWAITED.format(build=_BUILD)} THEN '{KeptBy.REQUEST}'
        WHEN EXISTS (SELECT FROM {_FILES} WHERE ({HELD_UNTIL}) > %(now)s) THEN '{KeptBy.HOLD}'
        WHEN EXISTS (SELECT FROM {_FILES} WHERE ({_IN_USE_UNTIL}) > %(now)s) THEN '{KeptBy.USE}'
        WHEN COALESCE(gone.last_buried_at + %(life)s::interval > %(now)s, true) THEN '{KeptBy.TIME}'
        WHEN {BUNDLE_DIFFERS.format(build=_BUILD)} THEN '{KeptBy.DIFFERENCE}'
    END AS kept_by
    FROM (SELECT project_id, build_id, max(buried_at) AS last_buried_at FROM tombstone
        WHERE {{of}} GROUP BY project_id, build_id) AS gone
    CROSS JOIN LATERAL ({KEPT_BUNDLES.format(build=_BUILD)}) AS kept
    WHERE kept.bundles > 0
"""  # noqa: S608 - as above
_OF_BUILDS: Final = _JUDGED.format(of="build_id = ANY(%(builds)s)")
_OVER: Final = "gone.last_buried_at + %(life)s::interval <= %(now)s"
_TOTALS: Final = f"""
    SELECT kept_by, count(*), sum(bundles), sum(bytes)
    FROM ({_JUDGED.format(of="true")} AND {_OVER}) AS judged GROUP BY kept_by
"""  # noqa: S608 - as above
_DUE: Final = f"""
    SELECT build_id FROM ({_JUDGED.format(of="project_id = %(project)s")} AND {_OVER}) AS judged
    WHERE kept_by IS NULL ORDER BY last_buried_at, build_id
"""  # noqa: S608 - as above


@dataclass(frozen=True, slots=True)
class Amount:
    """So much evidence."""

    builds: int = 0
    bundles: int = 0
    bytes: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(
            self.builds + other.builds, self.bundles + other.bundles, self.bytes + other.bytes
        )


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock of one build's evidence: when its time is over, and what keeps it now.

    `kept_until` is None where evidence is kept for ever; `kept_by` where an operator may end it.
    """

    kept_until: datetime | None
    kept_by: KeptBy | None


def evidence_over(*, life: timedelta, now: datetime) -> dict[KeptBy | None, Amount]:
    """All evidence whose time is over, by what keeps it; under None what may be ended."""
    return {
        KeptBy(why) if why is not None else None: Amount(builds, int(bundles), int(size))
        for why, builds, bundles, size in _rows(_TOTALS, life=life, now=now)
    }


def projects_with_tombstones() -> list[Project]:
    """Those of which anything is gone for good, in the order of their ids."""
    of_something = Tombstone.objects.order_by().values("project").distinct()
    return list(
        Project.objects.filter(pk__in=of_something).select_related("organization").order_by("pk")
    )


def builds_due(*, project: UUID, life: timedelta, now: datetime) -> list[UUID]:
    """The project's builds whose evidence may be ended, those first that went first."""
    return [row[0] for row in _rows(_DUE, project=project, life=life, now=now)]


def still_due(builds: Collection[UUID], *, life: timedelta, now: datetime) -> set[UUID]:
    """Those of these builds whose evidence may be ended now."""
    found = _rows(_OF_BUILDS, builds=list(builds), life=life, now=now)
    return {build for _project, build, _at, _bundles, _bytes, why in found if why is None}


def clock_of(build: UUID, *, life: timedelta | None, now: datetime) -> Clock | None:
    """The clock of a build of which something is gone; None where no bundle of it is kept."""
    for _project, _build, last, _bundles, _bytes, why in _rows(
        _OF_BUILDS, builds=[build], life=life, now=now
    ):
        until = last + life if life is not None else None
        return Clock(until, KeptBy(why) if why is not None else None)
    return None


def _rows(statement: str, **parameters: Any) -> list[tuple[Any, ...]]:  # noqa: ANN401 - what psycopg takes
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())
