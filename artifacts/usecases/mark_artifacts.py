"""Say of artifacts that they are yanked, or in quarantine; and say so no more. Joins."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from artifacts.models import Mark
from kernel.connections import joins_transaction


def mark_artifacts(
    *, mark: type[Mark], artifacts: Collection[UUID], reason: str, by: str, now: datetime
) -> int:
    """Mark those that are not yet; how many that were. A first reason stays."""
    joins_transaction("mark_artifacts")
    before = mark._default_manager.filter(pk__in=artifacts).count()  # noqa: SLF001 - Django documents it
    mark._default_manager.bulk_create(  # noqa: SLF001 - as above
        [mark(artifact_id=one, reason=reason, marked_at=now, marked_by=by) for one in artifacts],
        ignore_conflicts=True,
    )
    return len(artifacts) - before


def unmark_artifacts(*, mark: type[Mark], artifacts: Collection[UUID]) -> int:
    """Take the marks away; of how many."""
    joins_transaction("unmark_artifacts")
    gone, _each = mark._default_manager.filter(pk__in=artifacts).delete()  # noqa: SLF001 - as above
    return gone
