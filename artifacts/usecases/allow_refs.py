"""Allow refs: say which branches and tags may have a latest although nobody protects them."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from artifacts.domain.refs import MAX_ALLOWED_REFS, RefNotNameable, parse_ref_pattern
from artifacts.models import AllowedRef, Project
from artifacts.queries import allowed_refs
from kernel.actor import Actor, Permission
from kernel.audit.record import record


def allow_refs(*, actor: Actor, project: Project, patterns: Sequence[str], now: datetime) -> None:
    """Make these the project's allowed refs, in place of those it had. Repeating changes nothing.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer the project.
        RefNotNameable: one is no pattern of refs, or there are too many.
    """
    actor.require(Permission.ADMINISTER, project=project.pk)
    wanted = sorted({parse_ref_pattern(pattern) for pattern in patterns})
    if len(wanted) > MAX_ALLOWED_REFS:
        raise RefNotNameable(limit=MAX_ALLOWED_REFS, observed=len(wanted))
    with transaction.atomic(durable=True):
        Project.objects.select_for_update().get(pk=project.pk)  # one change after the other
        before = allowed_refs(project=project)
        if before == wanted:
            return
        AllowedRef.objects.filter(project=project).exclude(pattern__in=wanted).delete()
        AllowedRef.objects.bulk_create(
            AllowedRef(project=project, pattern=pattern, allowed_at=now)
            for pattern in wanted
            if pattern not in before
        )
        record(
            actor,
            "refs.allow",
            str(project),
            now=now,
            organization=project.organization_id,
            before={"allowed_refs": before},
            after={"allowed_refs": wanted},
        )
