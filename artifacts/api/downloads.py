"""The verified download: by id, and by project, build and path.

The decision comes first, also for HEAD, ranges and conditions; then the connection to the
database goes back, and only then bytes flow.
"""

from typing import Final
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts import wiring
from artifacts.api.leaving import body, head
from artifacts.api.links import bundle_url
from artifacts.domain.conditions import (
    Conditions,
    Outcome,
    Validators,
    judge,
    range_still_applies,
)
from artifacts.domain.handover import Way, can_hand_over
from artifacts.domain.ranges import ByteRange, select
from artifacts.errors import DownloadLogUnavailable, PreconditionFailed, RangeNotSatisfiable
from artifacts.models import Artifact
from artifacts.queries import (
    visible_artifact,
    visible_artifact_at,
    visible_build,
    visible_project,
)
from artifacts.usecases.log_download import Answered, Asked, log_download
from artifacts.usecases.open_download import open_download
from kernel.connections import give_back
from kernel.digest import Sha256
from kernel.errors import Refusal
from kernel.native import NativeView
from kernel.rest import actor_of
from provenance import wiring as provenance_wiring
from provenance.domain.report import Verdict
from provenance.errors import PolicyNotMet

BUNDLE_TYPE: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
VERIFICATION: Final = "Strongroom-Verification"
# Percent-encoded (RFC 3986): a header is no place for any other text.
YANKED: Final = "Strongroom-Yanked"
MAX_LINKS: Final = 16


class VerifiedView(NativeView):
    """What all addresses have in common that hand out an artifact's bytes, or a part of them."""

    def serve(self, request: Request, artifact: Artifact) -> HttpResponseBase:
        """Decide, log and answer; also whoever is refused, or has it already, is in the log."""
        asked = Asked(actor_of(request), artifact, wiring.address_of(request.META))
        try:
            response, answered = self._decide(request, asked)
        except Refusal as refusal:
            self._log(asked, Answered("none", refusal=refusal.code))
            raise
        try:
            self._log(asked, answered)
        except DownloadLogUnavailable:
            response.close()
            raise
        return response

    def _decide(self, request: Request, asked: Asked) -> tuple[HttpResponseBase, Answered]:
        verdict = open_download(
            actor=asked.actor,
            artifact=asked.artifact,
            judge=provenance_wiring.judge(),
            base_url=settings.PUBLIC_URL,
            now=timezone.now(),
        )
        give_back()
        return self.answer(request, asked, verdict)

    def answer(
        self, request: Request, asked: Asked, verdict: Verdict
    ) -> tuple[HttpResponseBase, Answered]:
        """What the method, the conditions and the range leave, in this order."""
        artifact = asked.artifact
        validators = Validators.of(Sha256(artifact.blob.sha256), artifact.stored_at)
        conditions = conditions_of(request)
        outcome = judge(conditions, validators)
        if outcome is Outcome.PRECONDITION_FAILED:
            raise PreconditionFailed(etag=validators.etag, last_modified=validators.last_modified)
        if outcome is Outcome.NOT_MODIFIED:
            response: HttpResponseBase = HttpResponse(status=304)
            del response["Content-Type"]  # Django's default; there is nothing to have a type
            answered = Answered("not-modified", verdict=verdict)
        elif request.method == "HEAD":  # it knows no ranges (RFC 9110, 14.2)
            response, answered = head(artifact), Answered("head", verdict=verdict)
        else:
            selected = selected_range(request, validators, size_bytes=artifact.blob.size_bytes)
            way = _way(conditions, request, selected)
            response = body(artifact, selected, way)
            shown = selected.content_range if selected is not None else ""
            answered = Answered(way.value, shown, verdict)
        response["ETag"] = validators.etag
        response["Last-Modified"] = validators.last_modified
        response["Repr-Digest"] = Sha256(artifact.blob.sha256).field
        response["Accept-Ranges"] = "bytes"
        say_verified(response, artifact, verdict)
        return response, answered

    def _log(self, asked: Asked, answered: Answered) -> None:
        log_download(log=wiring.download_log(), asked=asked, answered=answered, now=timezone.now())

    def handle_exception(self, exc: Exception) -> Response:
        """Some refusals say part of their reason in a header as well."""
        response = super().handle_exception(exc)
        if isinstance(exc, RangeNotSatisfiable):
            response["Content-Range"] = f"bytes */{exc.facts['size_bytes']}"
        if isinstance(exc, PolicyNotMet):
            response[VERIFICATION] = f"failed; reason={exc.facts['reason']}"
        return response


class ArtifactDownload(VerifiedView):
    """The download by the artifact's id."""

    def get(self, request: Request, artifact: UUID) -> HttpResponseBase:
        """Serve the artifact."""
        return self.serve(request, visible_artifact(actor=actor_of(request), artifact=artifact))


class NamedDownload(VerifiedView):
    """The download by project, build and path."""

    def get(
        self, request: Request, organization: str, project: str, build: UUID, path: str
    ) -> HttpResponseBase:
        """Serve the artifact at the path."""
        actor = actor_of(request)
        place = visible_project(actor=actor, organization=organization, project=project)
        found = visible_build(actor=actor, build=build, project=place)
        return self.serve(request, visible_artifact_at(actor=actor, build=found, path=path))


def selected_range(
    request: Request, validators: Validators, *, size_bytes: int
) -> ByteRange | None:
    """The range that is asked for, where the whole is still what the asker has a part of."""
    if not range_still_applies(request.headers.get("If-Range"), validators):
        return None
    return select(request.headers.get("Range"), size_bytes=size_bytes)


def _way(conditions: Conditions, request: Request, selected: ByteRange | None) -> Way:
    asked = request.headers.get("Range")
    configured = Way(settings.DOWNLOADS)
    return configured if can_hand_over(conditions, asked=asked, selected=selected) else Way.STREAM


def say_verified(response: HttpResponseBase, artifact: Artifact, verdict: Verdict) -> None:
    """What every answer about these bytes says, also the one without any."""
    # Ask again each time: a revocation changes the next answer.
    # Where the answer is an address, nobody keeps it: it holds for a minute.
    response["Cache-Control"] = "no-store" if "Location" in response else "private, no-cache"
    response["Vary"] = "Authorization, Cookie"
    response["X-Content-Type-Options"] = "nosniff"
    response[VERIFICATION] = (
        f"passed; level={verdict.level.value}"
        if verdict.allowed
        else f"failed; reason={verdict.reason}"
    )
    yank = getattr(artifact, "yank", None)
    if yank is not None:
        response[YANKED] = quote(yank.reason, safe=" ")
    links = [
        f'<{bundle_url(artifact, attestation["id"])}>; rel="describedby"; type="{BUNDLE_TYPE}"'
        for attestation in verdict.document["attestations"][:MAX_LINKS]
    ]
    if links:
        response["Link"] = ", ".join(links)


def conditions_of(request: Request) -> Conditions:
    """The conditions of the request."""
    return Conditions(
        if_match=request.headers.get("If-Match"),
        if_none_match=request.headers.get("If-None-Match"),
        if_modified_since=request.headers.get("If-Modified-Since"),
        if_unmodified_since=request.headers.get("If-Unmodified-Since"),
        if_range=request.headers.get("If-Range"),
    )
