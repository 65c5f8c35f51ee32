"""The verified download: by id, and by project, build and path.

The decision comes first, also for HEAD, ranges and conditions; then the connection to the
database goes back, and only then bytes flow.
"""

import logging
from typing import Final
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.http import content_disposition_header
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts import wiring
from artifacts.api.links import bundle_url
from artifacts.api.streaming import BlobStream
from artifacts.domain.conditions import (
    Conditions,
    Outcome,
    Validators,
    judge,
    range_still_applies,
)
from artifacts.domain.ranges import ByteRange, select
from artifacts.errors import BlobDamaged, BlobMissing, PreconditionFailed, RangeNotSatisfiable
from artifacts.models import Artifact
from artifacts.queries import (
    visible_artifact,
    visible_artifact_at,
    visible_build,
    visible_project,
)
from artifacts.usecases.open_download import open_download
from kernel.connections import give_back
from kernel.digest import Sha256
from kernel.native import NativeView
from kernel.rest import actor_of
from provenance import wiring as provenance_wiring
from provenance.domain.report import Verdict
from provenance.errors import PolicyNotMet

logger = logging.getLogger(__name__)

BUNDLE_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
VERIFICATION: Final = "Strongroom-Verification"
MAX_LINKS: Final = 16


class _Download(NativeView):
    """What both addresses have in common."""

    def serve(self, request: Request, artifact: Artifact) -> HttpResponseBase:
        """Decide, then answer what the method, the conditions and the range leave."""
        verdict = open_download(
            actor=actor_of(request),
            artifact=artifact,
            judge=provenance_wiring.judge(),
            base_url=settings.PUBLIC_URL,
            now=timezone.now(),
        )
        give_back()
        validators = Validators.of(Sha256(artifact.blob.sha256), artifact.stored_at)
        outcome = judge(_conditions(request), validators)
        if outcome is Outcome.PRECONDITION_FAILED:
            raise PreconditionFailed(etag=validators.etag, last_modified=validators.last_modified)
        if outcome is Outcome.NOT_MODIFIED:
            unchanged = HttpResponse(status=304)
            del unchanged["Content-Type"]  # Django's default; there is nothing to have a type
            return _with_headers(unchanged, artifact, verdict, validators)
        response = _answer(request, artifact, validators)
        return _with_headers(response, artifact, verdict, validators)

    def handle_exception(self, exc: Exception) -> Response:
        """Some refusals say part of their reason in a header as well."""
        response = super().handle_exception(exc)
        if isinstance(exc, RangeNotSatisfiable):
            response["Content-Range"] = f"bytes */{exc.facts['size_bytes']}"
        if isinstance(exc, PolicyNotMet):
            response[VERIFICATION] = f"failed; reason={exc.facts['reason']}"
        return response


class ArtifactDownload(_Download):
    """The download by the artifact's id."""

    def get(self, request: Request, artifact: UUID) -> HttpResponseBase:
        """Serve the artifact."""
        return self.serve(request, visible_artifact(actor=actor_of(request), artifact=artifact))


class NamedDownload(_Download):
    """The download by project, build and path."""

    def get(
        self, request: Request, organization: str, project: str, build: UUID, path: str
    ) -> HttpResponseBase:
        """Serve the artifact at the path."""
        actor = actor_of(request)
        place = visible_project(actor=actor, organization=organization, project=project)
        found = visible_build(actor=actor, build=build, project=place)
        return self.serve(request, visible_artifact_at(actor=actor, build=found, path=path))


def _answer(request: Request, artifact: Artifact, validators: Validators) -> HttpResponseBase:
    """The artifact, or the part that is asked for. HEAD knows no ranges (RFC 9110, 14.2)."""
    blob = artifact.blob
    selected: ByteRange | None = None
    if request.method == "GET" and range_still_applies(request.headers.get("If-Range"), validators):
        selected = select(request.headers.get("Range"), size_bytes=blob.size_bytes)
    stream = _open(artifact)
    response: HttpResponseBase
    if request.method == "HEAD":
        stream.close()
        response = HttpResponse()
        response["Content-Length"] = str(blob.size_bytes)
    elif selected is None:
        response = StreamingHttpResponse(_whole(stream, artifact))
        response["Content-Length"] = str(blob.size_bytes)
    else:
        response = StreamingHttpResponse(stream.select(selected.start, selected.length), status=206)
        response["Content-Length"] = str(selected.length)
        response["Content-Range"] = selected.content_range
    response["Content-Type"] = "application/octet-stream"
    response["Content-Disposition"] = str(
        content_disposition_header(as_attachment=True, filename=artifact.path.rpartition("/")[2])
    )
    return response


def _whole(stream: BlobStream, artifact: Artifact) -> BlobStream:
    try:
        return stream.whole(Sha256(artifact.blob.sha256))
    except BlobDamaged:
        stream.close()
        raise


def _open(artifact: Artifact) -> BlobStream:
    """Open the bytes; their absence is the operator's emergency, not the consumer's mistake."""
    blob = artifact.blob
    try:
        return BlobStream(wiring.blob_store(), blob.key, size_bytes=blob.size_bytes)
    except BlobMissing as refusal:
        logger.exception("blob missing", extra={"key": blob.key, "artifact": str(artifact.pk)})
        raise BlobMissing(artifact=artifact.pk, sha256=blob.sha256) from refusal


def _with_headers(
    response: HttpResponseBase, artifact: Artifact, verdict: Verdict, validators: Validators
) -> HttpResponseBase:
    """What every answer about these bytes says, also the one without any."""
    response["ETag"] = validators.etag
    response["Last-Modified"] = validators.last_modified
    response["Repr-Digest"] = Sha256(artifact.blob.sha256).field
    response["Accept-Ranges"] = "bytes"
    # Ask again each time: a revocation changes the next answer.
    response["Cache-Control"] = "private, no-cache"
    response["Vary"] = "Authorization, Cookie"
    response["X-Content-Type-Options"] = "nosniff"
    response[VERIFICATION] = (
        f"passed; level={verdict.level.value}"
        if verdict.allowed
        else f"failed; reason={verdict.reason}"
    )
    links = [
        f'<{bundle_url(artifact, attestation["id"])}>; rel="describedby"; type="{BUNDLE_TYPE}"'
        for attestation in verdict.document["attestations"][:MAX_LINKS]
    ]
    if links:
        response["Link"] = ", ".join(links)
    return response


def _conditions(request: Request) -> Conditions:
    return Conditions(
        if_match=request.headers.get("If-Match"),
        if_none_match=request.headers.get("If-None-Match"),
        if_modified_since=request.headers.get("If-Modified-Since"),
        if_unmodified_since=request.headers.get("If-Unmodified-Since"),
    )
