"""Why an artifact is handed out or not, and the attestations to check it with oneself."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import rfc3339
from artifacts.api.downloads import BUNDLE_TYPE
from artifacts.api.links import artifact_url, bundle_url
from artifacts.api.verdict_shapes import AttestationRow
from artifacts.domain.visibility import require_read
from artifacts.errors import AttestationNotFound
from artifacts.models import Artifact
from artifacts.queries import visible_artifact
from artifacts.usecases.verify_artifact import verify_artifact
from kernel.digest import Sha256
from kernel.native import NativeView
from kernel.rest import actor_of
from provenance import wiring as provenance_wiring
from provenance.queries import attestation, attestations_of

if TYPE_CHECKING:
    from provenance.models import Attestation


class ArtifactVerification(NativeView):
    """The decision: every attestation, every step, the level and why it is not higher."""

    def get(self, request: Request, artifact: UUID) -> Response:
        """Decide now (or answer with the kept decision) and show all of it."""
        actor = actor_of(request)
        found = visible_artifact(actor=actor, artifact=artifact)
        document = verify_artifact(
            actor=actor,
            artifact=found,
            judge=provenance_wiring.judge(),
            base_url=settings.PUBLIC_URL,
            now=timezone.now(),
        ).document
        attestations = [
            {**shown, "url": bundle_url(found, shown["id"])} for shown in document["attestations"]
        ]
        return Response(
            {
                **document,
                "artifact": str(found.pk),
                "path": found.path,
                "attestations": attestations,
            },
            headers={"Cache-Control": "private, no-cache"},
        )


class ArtifactAttestations(NativeView):
    """Every attestation about the artifact's bytes in its own build."""

    def get(self, request: Request, artifact: UUID) -> Response:
        """List them, oldest first, whether they count or not."""
        found = _readable(request, artifact)
        digest = Sha256(found.blob.sha256)
        return Response(
            {
                "artifact": artifact_url(found),
                "subject": {"sha256": digest.hex},
                "attestations": [
                    attestation_row(one, bundle_url(found, one.pk))
                    for one in attestations_of(
                        scope=found.project.scope, build=found.build_id, digest=digest
                    )
                ],
            }
        )


class ArtifactBundle(NativeView):
    """One attestation as the exact bytes of its Sigstore bundle."""

    def get(self, request: Request, artifact: UUID, identity: UUID) -> HttpResponse:
        """Serve the bundle."""
        found = _readable(request, artifact)
        digest = Sha256(found.blob.sha256)
        one = attestation(
            scope=found.project.scope, build=found.build_id, digest=digest, identity=identity
        )
        if one is None:
            raise AttestationNotFound
        return bundle_response(one)


def attestation_row(one: "Attestation", url: str) -> AttestationRow:
    """An attestation in a list, with the address of its bundle."""
    return {
        "id": str(one.pk),
        "predicate_type": one.predicate_type,
        "bundle_sha256": one.bundle_sha256,
        "recorded_at": rfc3339(one.recorded_at),
        "ended_at": rfc3339(one.end.ended_at) if one.end is not None else None,
        "media_type": BUNDLE_TYPE,
        "url": url,
    }


def bundle_response(one: "Attestation") -> HttpResponse:
    """The exact bytes of its bundle.

    Raises:
        EvidenceEnded: they are not kept any more.
    """
    response = HttpResponse(one.kept_bundle, content_type=BUNDLE_TYPE)
    response["Repr-Digest"] = Sha256(one.bundle_sha256).field
    response["ETag"] = f'"sha256:{one.bundle_sha256}"'
    response["Content-Disposition"] = f'attachment; filename="{one.pk}.sigstore.json"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _readable(request: Request, artifact: UUID) -> Artifact:
    actor = actor_of(request)
    found = visible_artifact(actor=actor, artifact=artifact)
    require_read(actor, project=found.project_id, is_public=found.project.is_public)
    return found
