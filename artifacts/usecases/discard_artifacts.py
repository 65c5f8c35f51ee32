"""Move artifacts into the trash: rows say first that they are gone. Joins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from artifacts.domain.retention import Cited
from artifacts.models import Artifact, NamedFile, TrashedArtifact


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


def discard_artifacts(*, removal: Removal, ended: Mapping[UUID, Ended | None]) -> list[Artifact]:
    """Take these artifacts away, each with the rule that ended it; what went, with its blob.

    Bytes and names stay taken. What is gone already is left out. Nothing is checked here: who
    calls has looked at holds, and locked.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("discard_artifacts joins a transaction")
    gone = list(Artifact.objects.filter(pk__in=ended).select_related("blob"))
    TrashedArtifact.objects.bulk_create(_trashed(one, removal, ended[one.pk]) for one in gone)
    Artifact.objects.filter(pk__in=ended).delete()
    return gone


def copied(*, row: NamedFile) -> dict[str, object]:
    """The members that an artifact has in sight and in the trash alike."""
    return {
        field.attname: getattr(row, field.attname)
        for field in Artifact._meta.concrete_fields  # noqa: SLF001 - Django documents it
    }


def _trashed(artifact: Artifact, removal: Removal, ended: Ended | None) -> TrashedArtifact:
    trashed = TrashedArtifact(
        **copied(row=artifact),
        removed_at=removal.at,
        removed_by=removal.by,
        restorable_until=removal.restorable_until,
        reason=removal.reason,
        plan_id=removal.plan,
    )
    if ended is not None:
        trashed.expired_at = ended.at
        trashed.rule, trashed.level = ended.cited.name, ended.cited.level
        trashed.scope_id, trashed.version = ended.cited.scope, ended.cited.version
    return trashed
