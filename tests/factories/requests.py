"""Requests for attestations, as sealing a build makes them."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from kernel.digest import Sha256
from provenance.domain.build_facts import Witnessed
from provenance.domain.scope import Scope
from provenance.domain.statement import Subject
from provenance.models import AttestationRequest
from provenance.usecases.request_attestation import request_attestation

SCOPE = Scope(UUID(int=1), UUID(int=2))
DIGEST = Sha256("ab" * 32)


def subject_of(digest: Sha256 = DIGEST) -> Subject:
    """The file that `requested` gives this digest to."""
    return Subject(f"dist/{digest.hex[:8]}.tar.gz", digest)


def requested(
    facts: Witnessed | None,
    *,
    scope: Scope = SCOPE,
    digests: Sequence[Sha256] = (DIGEST,),
    now: datetime | None = None,
    build: UUID | None = None,
) -> AttestationRequest:
    """A sealed build's request: files of these digests, witnessed so."""
    moment = now or timezone.now()
    with transaction.atomic():
        identity = request_attestation(
            scope=scope,
            build=build or uuid.uuid4(),
            subjects=[subject_of(digest) for digest in digests],
            facts=facts,
            opened_at=moment,
            now=moment,
        )
    return AttestationRequest.objects.get(pk=identity)
