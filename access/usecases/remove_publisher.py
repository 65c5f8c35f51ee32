"""Remove a trusted publisher: its jobs upload nothing more, and what they uploaded stays good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from access.queries import publisher_of, wait_for_publishers
from access.usecases.end_publishers import end_publishers
from kernel.actor import Actor, Permission

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from artifacts.models import Project


def remove_publisher(*, project: Project, publisher: UUID, actor: Actor, now: datetime) -> None:
    """Trust it no longer. Its source stays in the policy: see docs/adr/0016.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the project.
        PublisherNotFound: the project has none of this id; it may be removed already.
    """
    actor.require(Permission.ADMINISTER, project=project.id)
    with transaction.atomic(durable=True):
        wait_for_publishers(project)
        found = publisher_of(project, publisher)
        end_publishers(publishers=[found], actor=actor, now=now)
