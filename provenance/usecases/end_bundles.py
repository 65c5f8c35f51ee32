"""End bundles: their bytes go, and what they were is still said."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import connection

from kernel.connections import joins_transaction
from provenance.domain.scope import Scope
from provenance.models import Attestation, AttestationRequest, EvidenceEnd
from provenance.usecases.save_bundles import Saved

_MEASURE: Final = """
    SELECT count(*), count(DISTINCT asked.build_id), COALESCE(sum(octet_length(kept.bundle)), 0)
    FROM attestation AS kept JOIN attestation_request AS asked ON asked.id = kept.request_id
    WHERE kept.id = ANY(%s) AND kept.end_id IS NULL
"""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why evidence ends: the rule's days, and who says so."""

    days: int
    by: str


def end_bundles(*, scope: Scope, saved: Saved, cause: Cause, now: datetime) -> EvidenceEnd:
    """End the bundles that were saved, of builds of one project, with the row that says so. Joins.

    The statements that their requests hold go with them: they are the same words. Only the owner
    of the tables has the right to do it; whether it is time is for the caller to say.
    """
    joins_transaction("end_bundles")
    with connection.cursor() as cursor:
        cursor.execute(_MEASURE, [list(saved.attestations)])
        bundles, builds, size = cursor.fetchone()
    end = EvidenceEnd.objects.create(
        organization_id=scope.organization,
        project_id=scope.project,
        ended_at=now,
        ended_by=cause.by,
        days=cause.days,
        builds=builds,
        bundles=bundles,
        bundle_bytes=size,
        manifest_sha256=saved.manifest_sha256,
    )
    kept = Attestation.objects.filter(pk__in=saved.attestations, end=None)
    requests = AttestationRequest.objects.filter(attestation__in=kept)
    requests.update(statement=None)
    kept.update(bundle=None, end=end)
    return end
