"""Ask for a statement about a sealed build's files (docs/architecture.md, step 4)."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from kernel.connections import joins_transaction
from kernel.outbox.emit import current_request_id, emit
from kernel.rows import insert
from provenance.domain.build_facts import Witnessed
from provenance.domain.scope import Scope
from provenance.domain.statement import MAX_SUBJECTS, Subject
from provenance.events import AttestationRequested
from provenance.models import AttestationRequest


def request_attestation(
    *,
    scope: Scope,
    build: UUID,
    subjects: Sequence[Subject],
    facts: Witnessed | None,
    opened_at: datetime,
    now: datetime,
) -> UUID:
    """Record that one group of files with identical witnessed facts waits for its statement.

    Joins the caller's transaction. Without facts the build is attested as published, not as
    built. The caller splits groups of more than 1,024 subjects.
    """
    joins_transaction("request_attestation")
    if not 1 <= len(subjects) <= MAX_SUBJECTS:
        raise ValueError(f"a statement names 1 to {MAX_SUBJECTS} subjects, not {len(subjects)}")
    request = AttestationRequest(
        id=uuid.uuid4(),
        organization_id=scope.organization,
        project_id=scope.project,
        build_id=build,
        subjects=[[subject.name, subject.digest.hex] for subject in sorted(subjects)],
        facts=facts.to_json() if facts is not None else None,
        issuer_name=facts.issuer_name if facts is not None else "",
        opened_at=opened_at,
        sealed_at=now,
        requested_at=now,
        next_attempt_at=now,
        request_id=current_request_id(),
    )
    insert(request)
    emit(AttestationRequested(request_id=request.pk), now=now)
    return request.pk
