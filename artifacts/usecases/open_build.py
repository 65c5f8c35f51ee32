"""Open a build: the files that one origin is about to upload (docs/architecture.md, step 1)."""

from datetime import datetime

from django.db import transaction

from artifacts.domain.origin import origin_of, witnessed_by
from artifacts.models import Build, Project
from kernel.actor import Actor


def open_build(*, project: Project, actor: Actor, opened_at: datetime) -> Build:
    """Open a build with what was witnessed of the actor's job. Joins."""
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("open_build joins a transaction")
    facts = witnessed_by(actor)
    return Build.objects.create(
        project=project,
        origin=origin_of(actor),
        witnessed=facts.to_json() if facts is not None else None,
        opened_by=actor.name,
        opened_at=opened_at,
    )
