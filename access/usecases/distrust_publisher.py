"""Distrust a publisher: remove it, and let nothing pass that came from its repository."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from django.db import transaction

from access.queries import publisher_of, publishers_of, wait_for_publishers
from access.usecases.end_publishers import end_publishers
from kernel.actor import Actor, Permission
from kernel.audit.record import record
from provenance.queries import current_policy
from provenance.usecases.set_policy import set_policy

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from artifacts.models import Project


def distrust_publisher(*, project: Project, publisher: UUID, actor: Actor, now: datetime) -> int:
    """Remove it with all publishers of its repository, and take the source out of the policy.

    Every artifact that rests on this source alone fails its verification from now on. The answer
    is how many publishers went. A pending one has no source: it is only removed.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the project.
        PublisherNotFound: the project has none of this id.
    """
    actor.require(Permission.ADMINISTER, project=project.id)
    with transaction.atomic(durable=True):
        wait_for_publishers(project)
        source = publisher_of(project, publisher).identity.source
        if source is None:
            same = [publisher_of(project, publisher)]
        else:
            same = [one for one in publishers_of(project) if one.identity.source == source]
        end_publishers(publishers=same, actor=actor, now=now)
        record(
            actor,
            "publisher.distrust",
            str(project.id),
            now=now,
            organization=project.organization_id,
            publishers=sorted(str(one.pk) for one in same),
            source=asdict(source) if source is not None else None,
        )
        sources = current_policy(scope=project.scope).sources
        if source in sources:
            kept = [one for one in sources if one != source]
            set_policy(scope=project.scope, sources=kept, actor=actor, now=now)
    return len(same)
