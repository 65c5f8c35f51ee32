"""Ask for one act on many artifacts: written down with each of them, and nothing is done yet."""

import logging
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from artifacts.domain.bulk import Act, Outcome, read_selection
from artifacts.models import BulkAction, Project
from artifacts.queries.bulk_outcomes import write_items
from artifacts.queries.candidates import expect_many
from kernel.actor import Actor

logger = logging.getLogger(__name__)


def ask_bulk_action(
    *, project: Project, act: Act, selection: Mapping[str, Any], actor: Actor, now: datetime
) -> BulkAction:
    """Find what the act would be done to, and what would come of each; that is what is started.

    Raises:
        Unauthenticated, PermissionMissing: the actor may not do it to one.
        MalformedSelection: the selection cannot be read.
    """
    actor.require(act.permission, project=project.pk)
    asked, identity = read_selection(selection, act=act), uuid.uuid4()
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            expect_many(cursor)
        counts, done_bytes = write_items(
            identity, act=act, project=project, selection=asked, now=now
        )
        made = BulkAction.objects.create(
            id=identity,
            project=project,
            act=act,
            selection=dict(selection),
            asked_at=now,
            asked_by=actor.name,
            expected=dict(counts),
            artifacts=counts.get(Outcome.DONE, 0),
            logical_bytes=done_bytes,
        )
    logger.info(
        "bulk action asked", extra={"bulk_action": str(identity), "artifacts": made.artifacts}
    )
    return made
