"""What is left of an artifact that is gone: its tombstone, and the evidence that outlives it."""

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import cited_document, rfc3339
from artifacts.api.evidence import attestation_row, bundle_response
from artifacts.api.keeping_shapes import EvidenceClockDocument, TombstoneDocument
from artifacts.api.links import root, tombstone_bundle_url
from artifacts.domain.retention import Cited, Level
from artifacts.domain.visibility import require_read
from artifacts.errors import AttestationNotFound
from artifacts.models import Tombstone
from artifacts.queries.ending import clock_of
from artifacts.queries.tombstones import evidence_kept, visible_tombstone
from artifacts.wiring import evidence_life
from kernel.native import NativeView
from kernel.rest import actor_of


class ArtifactTombstone(NativeView):
    """What remains."""

    def get(self, request: Request, artifact: UUID) -> Response:
        """Show it, with every attestation that is kept."""
        return Response(_document(_readable(request, artifact)))


class TombstoneBundle(NativeView):
    """One attestation about what is gone, as the exact bytes of its Sigstore bundle."""

    def get(self, request: Request, artifact: UUID, identity: UUID) -> HttpResponse:
        """Serve the bundle."""
        kept = evidence_kept(_readable(request, artifact))
        one = next((one for one in kept if one.pk == identity), None)
        if one is None:
            raise AttestationNotFound
        return bundle_response(one)


def _readable(request: Request, artifact: UUID) -> Tombstone:
    actor = actor_of(request)
    found = visible_tombstone(actor=actor, artifact=artifact)
    require_read(actor, project=found.project_id, is_public=found.project.is_public)
    return found


def _document(found: Tombstone) -> TombstoneDocument:
    return {
        "artifact": str(found.pk),
        "path": found.path,
        "build": f"{root()}/builds/{found.build_id}",
        "sha256": found.sha256,
        "size_bytes": found.size_bytes,
        "stored_at": rfc3339(found.stored_at),
        "expired_at": rfc3339(found.expired_at) if found.expired_at is not None else None,
        "removed_at": rfc3339(found.removed_at),
        "removed_by": found.removed_by,
        "buried_at": rfc3339(found.buried_at),
        "reason": found.reason,
        "rule": cited_document(_cited(found), found.project),
        "plan": str(found.plan_id) if found.plan_id is not None else None,
        "removal": tombstone_bundle_url(found, found.attestation_id),
        "evidence": _clock(found),
        "attestations": [
            attestation_row(one, tombstone_bundle_url(found, one.pk))
            for one in evidence_kept(found)
        ],
    }


def _clock(found: Tombstone) -> EvidenceClockDocument | None:
    clock = clock_of(found.build_id, life=evidence_life(), now=timezone.now())
    if clock is None:
        return None
    until, why = clock.kept_until, clock.kept_by
    return {
        "kept_until": rfc3339(until) if until is not None else None,
        "kept_by": why.value if why is not None else None,
    }


def _cited(found: Tombstone) -> Cited | None:
    if found.level is None:
        return None
    return Cited(found.rule, Level(found.level), found.version or 0, found.scope_id)
