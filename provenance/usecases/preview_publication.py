"""Show what signing a build's statements would make public, before or after it is done."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from provenance.models import AttestationRequest
from provenance.ports import Disclosure, SigningJob
from provenance.usecases.attest_builds import asked_for


def preview_publication(
    *, build: UUID, disclosure: Disclosure, base_url: str, now: datetime
) -> list[Mapping[str, Any]]:
    """One document for each statement of a sealed build, oldest first; nothing is sent.

    Of a statement that waits it is what would be signed now, without a platform's confirmation:
    that would change the builder's id and the statement's digest.

    Raises:
        SignerUnavailable: the public signer is not configured as it should be.
        SignerRefused, UnattestableEvent, MalformedFacts: a statement cannot be signed.
    """
    requests = AttestationRequest.objects.filter(build_id=build).order_by("requested_at", "id")
    found: list[Mapping[str, Any]] = []
    for request in requests:
        asked = asked_for(request=request, confirmation=None, base_url=base_url)
        job = SigningJob(asked.statement, asked.identity, asked.claims)
        found.append(
            {
                "statement": {
                    "predicate_type": asked.predicate_type,
                    "sha256": hashlib.sha256(asked.statement).hexdigest(),
                    "subjects": len(request.subjects),
                },
                **disclosure.disclose(job, now=now),
            }
        )
    return found
