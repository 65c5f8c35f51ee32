"""What the audit trail can be asked."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet

from kernel.audit.models import AuditCheckpoint, AuditRecord, AuditSeal
from kernel.audit.seal import last_seal


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records; None and empty mean all. `organizations` are those that may be seen."""

    organizations: Collection[UUID] | None = None
    actor: str = ""
    action: str = ""
    target: str = ""
    address: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before_id: int | None = None


def records(wanted: Wanted) -> QuerySet[AuditRecord]:
    """The records, newest first."""
    return matching(wanted).order_by("-id")


def matching(wanted: Wanted) -> QuerySet[AuditRecord]:
    """The records, in no order."""
    found = AuditRecord.objects.all()
    if wanted.organizations is not None:
        found = found.filter(organization_id__in=wanted.organizations)
    exact = {name: getattr(wanted, name) for name in ("actor", "action", "target", "address")}
    found = found.filter(**{name: value for name, value in exact.items() if value})
    if wanted.since is not None:
        found = found.filter(at__gte=wanted.since)
    if wanted.until is not None:
        found = found.filter(at__lt=wanted.until)
    if wanted.before_id is not None:
        found = found.filter(id__lt=wanted.before_id)
    return found


def oldest_unsealed_age(*, now: datetime) -> timedelta:
    """How long the oldest record has waited for its seal; zero when none does."""
    last = last_seal()
    found = AuditRecord.objects.order_by("transaction_id")
    if last is not None:
        found = found.filter(id__gt=last.floor_id, transaction_id__gte=last.below_transaction)
    oldest = found.values_list("at", flat=True).first()
    return max(now - oldest, timedelta(0)) if oldest is not None else timedelta(0)


def checkpoints(*, behind: int = 0) -> QuerySet[AuditCheckpoint]:
    """The signed checkpoints with higher numbers, oldest first."""
    return AuditCheckpoint.objects.filter(number__gt=behind).order_by("number")


def unsigned_age(*, now: datetime) -> timedelta:
    """How long nothing was signed: since the last checkpoint, or the first seal; else zero."""
    newest = AuditCheckpoint.objects.order_by("-number").values_list("made_at", flat=True).first()
    if newest is None:
        newest = AuditSeal.objects.order_by("number").values_list("sealed_at", flat=True).first()
    return max(now - newest, timedelta(0)) if newest is not None else timedelta(0)
