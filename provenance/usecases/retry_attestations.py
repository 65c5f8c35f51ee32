"""Try again what waits for a later attempt, when somebody has mended what it waited for."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction

from kernel.actor import Actor, Permission
from kernel.audit.record import record
from kernel.outbox.emit import emit
from provenance.events import AttestationRequested, RemovalRequested
from provenance.models import AttestationRequest, RequestState


def retry_attestations(*, requests: Collection[UUID], actor: Actor, now: datetime) -> int:
    """Make these requests due at once, and say how many were waiting for a later moment.

    What is attested, refused or given up stays so, and what is due already or being worked on is
    left alone: a repeat changes nothing. Attempts go on being counted.

    Raises:
        Unauthenticated, PermissionMissing: the actor does not administer one of the projects;
            then none is tried.
    """
    if not requests:
        return 0
    with transaction.atomic(durable=True):
        locked = AttestationRequest.objects.select_for_update().filter(
            pk__in=requests, state=RequestState.PENDING
        )
        found = list(locked.order_by("id"))
        for project in {one.project_id for one in found}:
            actor.require(Permission.ADMINISTER, project=project)
        # A lease that has run out is nobody's, and the row says when it is tried again.
        waiting = [one for one in found if one.next_attempt_at > now]
        for request in waiting:
            before = request.next_attempt_at
            request.next_attempt_at = now
            request.save(update_fields=["next_attempt_at"])
            emit(_nudge(request), now=now)
            record(
                actor,
                "attestation.retry",
                str(request.build_id or request.project_id),
                now=now,
                organization=request.organization_id,
                request=str(request.pk),
                attempts=request.attempts,
                last_error=request.last_error,
                before={"next_attempt_at": before.isoformat()},
                after={"next_attempt_at": now.isoformat()},
            )
    return len(waiting)


def _nudge(request: AttestationRequest) -> AttestationRequested | RemovalRequested:
    if request.build_id is None:
        return RemovalRequested(request_id=request.pk)
    return AttestationRequested(request_id=request.pk)
