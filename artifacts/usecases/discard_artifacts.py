"""Move artifacts into the trash: rows say first that they are gone. Joins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from artifacts.domain.retention import Cited
from artifacts.models import Artifact
from kernel.connections import joins_transaction


@dataclass(frozen=True, slots=True)
class Removal:
    """Who removes, when, and until when that can be taken back; by a plan, or for a reason."""

    by: str
    at: datetime
    restorable_until: datetime
    plan: UUID | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ended:
    """By which rule an artifact is over, and since when."""

    at: datetime
    cited: Cited


@dataclass(frozen=True, slots=True)
class Discarded:
    """How many artifacts went into the trash, and their bytes, each artifact's for itself."""

    artifacts: int
    logical_bytes: int


# As one statement: a plan takes hundreds of thousands away, a batch at a time.
_DISCARD: Final = """
    WITH due AS (
        SELECT * FROM unnest(%(ids)s::uuid[], %(ends)s::timestamptz[], %(rules)s::text[],
            %(levels)s::smallint[], %(scopes)s::uuid[], %(versions)s::integer[])
            AS due (due_id, expired_at, rule, level, scope_id, version)
    ), gone AS (
        DELETE FROM artifact USING due WHERE artifact.id = due_id RETURNING *
    ), forgotten AS (
        UPDATE upload SET artifact_id = NULL FROM gone WHERE upload.artifact_id = gone.id
    ), trashed AS (
        INSERT INTO trashed_artifact ({columns}, removed_at, removed_by, restorable_until, reason,
            expired_at, plan_id, rule, level, scope_id, version)
        SELECT {columns}, %(at)s, %(by)s, %(until)s, %(reason)s,
            expired_at, %(plan)s::uuid, rule, level, scope_id, version FROM gone
        RETURNING blob_id
    )
    SELECT count(*), coalesce(sum(blob.size_bytes), 0)
    FROM trashed JOIN blob ON blob.id = trashed.blob_id
"""


def discard_artifacts(*, removal: Removal, ended: Mapping[UUID, Ended | None]) -> Discarded:
    """Take these artifacts away, each with the rule that ended it.

    Bytes and names stay taken. What is gone already is left out. Nothing is checked here: who
    calls has looked at holds, and locked.
    """
    joins_transaction("discard_artifacts")
    cited = [one.cited if one is not None else None for one in ended.values()]
    with connection.cursor() as cursor:
        cursor.execute(
            _DISCARD.format(columns=columns_alike()),
            {
                "ids": list(ended),
                "ends": [one.at if one is not None else None for one in ended.values()],
                "rules": [one.name if one is not None else "" for one in cited],
                "levels": [one.level if one is not None else None for one in cited],
                "scopes": [one.scope if one is not None else None for one in cited],
                "versions": [one.version if one is not None else None for one in cited],
                "at": removal.at,
                "by": removal.by,
                "until": removal.restorable_until,
                "reason": removal.reason,
                "plan": removal.plan,
            },
        )
        artifacts, logical_bytes = cursor.fetchone()
    return Discarded(artifacts, int(logical_bytes))


def columns_alike() -> str:
    """The columns that an artifact has in sight and in the trash alike."""
    fields = Artifact._meta.concrete_fields  # noqa: SLF001 - Django documents it
    return ", ".join(f'"{field.column}"' for field in fields)
