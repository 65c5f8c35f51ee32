"""Ask for the statement that artifacts were removed: until it is kept, their bytes are."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kernel.connections import joins_transaction
from kernel.outbox.emit import current_request_id, emit
from provenance.domain.removal import Removed, statement_of
from provenance.domain.scope import Scope
from provenance.events import RemovalRequested
from provenance.models import AttestationRequest


def request_removal(
    *, scope: Scope, removed: Sequence[Removed], base_url: str, now: datetime
) -> UUID:
    """Record that this removal waits for its signature, with the exact bytes to sign. Joins.

    Raises:
        ValueError: there is nothing, or more than one statement names.
    """
    joins_transaction("request_removal")
    statement = statement_of(project=scope.project, removed=removed, base_url=base_url)
    request = AttestationRequest.objects.create(
        id=uuid.uuid4(),
        organization_id=scope.organization,
        project_id=scope.project,
        build_id=None,
        subjects=[[name, digest] for name, digest in sorted(_subjects(removed))],
        opened_at=now,
        sealed_at=now,
        requested_at=now,
        next_attempt_at=now,
        statement=statement,
        request_id=current_request_id(),
    )
    emit(RemovalRequested(request_id=request.pk), now=now)
    return request.pk


def _subjects(removed: Sequence[Removed]) -> list[tuple[str, str]]:
    return [(one.subject.name, one.digest.hex) for one in removed]
