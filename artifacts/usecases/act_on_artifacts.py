"""Do one act to artifacts that were looked at and locked: the same as to one. Joins."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from artifacts.domain.bulk import Act, Outcome
from artifacts.errors import QuotaExceeded
from artifacts.models import Project, Quarantine, Yank
from artifacts.usecases.discard_artifacts import Removal, discard_artifacts
from artifacts.usecases.mark_artifacts import mark_artifacts, unmark_artifacts
from artifacts.usecases.restore_artifact import Restoring, put_back
from kernel.connections import joins_transaction


@dataclass(frozen=True, slots=True)
class Deed:
    """What is done, why, by whom, when; `trash` is how long a removal can be taken back."""

    act: Act
    reason: str
    by: str
    at: datetime
    trash: timedelta


def act_on_artifacts(
    *, artifacts: Sequence[UUID], project: Project, deed: Deed
) -> dict[UUID, Outcome]:
    """Do it to all of these, of one project; the answer has those to which it could not be done."""
    joins_transaction("act_on_artifacts")
    match deed.act:
        case Act.REMOVE:
            removal = Removal(deed.by, deed.at, deed.at + deed.trash, reason=deed.reason)
            discard_artifacts(removal=removal, ended=dict.fromkeys(artifacts))
        case Act.RESTORE:
            return _restore(artifacts, project, deed)
        case Act.YANK:
            mark_artifacts(
                mark=Yank, artifacts=artifacts, reason=deed.reason, by=deed.by, now=deed.at
            )
        case Act.QUARANTINE:
            mark_artifacts(
                mark=Quarantine, artifacts=artifacts, reason=deed.reason, by=deed.by, now=deed.at
            )
        case Act.UNYANK:
            unmark_artifacts(mark=Yank, artifacts=artifacts)
        case Act.RELEASE:
            unmark_artifacts(mark=Quarantine, artifacts=artifacts)
    return {}


def _restore(artifacts: Sequence[UUID], project: Project, deed: Deed) -> dict[UUID, Outcome]:
    if _fits(artifacts, project, deed):
        return {}
    # Near a limit: as many as there is room for, one by one.
    return {one: Outcome.QUOTA for one in sorted(artifacts) if not _fits([one], project, deed)}


def _fits(artifacts: Sequence[UUID], project: Project, deed: Deed) -> bool:
    restoring = Restoring(deed.reason, deed.trash)
    try:
        with transaction.atomic():
            put_back(
                artifacts=artifacts, project=project, restoring=restoring, by=deed.by, now=deed.at
            )
    except QuotaExceeded:
        return False
    return True
