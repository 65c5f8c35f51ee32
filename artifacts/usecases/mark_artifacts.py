"""Say of artifacts that they are yanked, or in quarantine; and say so no more. Joins."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from artifacts.models import Mark


def mark_artifacts(
    *, mark: type[Mark], artifacts: Collection[UUID], reason: str, by: str, now: datetime
) -> int:
    """Mark those that are not yet; how many that were. A first reason stays."""
    _require_transaction()
    before = mark._default_manager.filter(pk__in=artifacts).count()  # noqa: SLF001 - Django documents it
    mark._default_manager.bulk_create(  # noqa: SLF001 - as above
        [mark(artifact_id=one, reason=reason, marked_at=now, marked_by=by) for one in artifacts],
        ignore_conflicts=True,
    )
    return len(artifacts) - before


def unmark_artifacts(*, mark: type[Mark], artifacts: Collection[UUID]) -> int:
    """Take the marks away; of how many."""
    _require_transaction()
    gone, _each = mark._default_manager.filter(pk__in=artifacts).delete()  # noqa: SLF001 - as above
    return gone


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("a mark joins a transaction")
