"""PUT of one file, alone or to an open build, as `curl -T file URL` sends it."""

from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts import wiring
from artifacts.api.documents import artifact_document
from artifacts.api.incoming import IncomingBody
from artifacts.api.links import artifact_url
from artifacts.domain.retention import Decision
from artifacts.domain.retention_document import MAX_DAYS
from artifacts.queries import Place
from artifacts.queries.expiry import expiry_of
from artifacts.usecases.publish_file import Incoming, Published, publish_file
from artifacts.usecases.receive_file import Slot, receive_file
from artifacts.usecases.withdraw_file import withdraw_file
from kernel.digest import Sha256
from kernel.errors import Refusal
from kernel.metrics import UPLOAD_BYTES, UPLOADS
from kernel.native import NativeView
from kernel.rest import MalformedRequest, actor_of

LIFE: Final = "Strongroom-Life-Days"


class _Upload(NativeView):
    """One file, streamed; answered 201 when it is new and 200 when it was there."""

    body: IncomingBody

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:  # noqa: ANN401 - DRF's shape
        self.body = IncomingBody(
            request.META,
            limit_bytes=settings.MAX_UPLOAD_BYTES,
            has_bucket=settings.S3_BUCKET is not None,
        )
        return super().dispatch(request, *args, **kwargs)

    def incoming(self, *, asked_life_days: int | None = None) -> Incoming:
        """The body, once its headers are in order."""
        return Incoming(
            declared=self.body.declared(),
            chunks=self.body.chunks(),
            size_bytes=self.body.announced_bytes(),
            asked_life_days=asked_life_days,
        )

    def life_days(self) -> int | None:
        """The life that the request asks for, in days.

        Raises:
            MalformedRequest: it is no number of days.
        """
        found = self.request.headers.get(LIFE)
        if found is None:
            return None
        is_number = found.isascii() and found.isdecimal() and len(found) <= len(str(MAX_DAYS))
        if not is_number or not 1 <= int(found) <= MAX_DAYS:
            expected = f"days, from 1 to {MAX_DAYS}"
            raise MalformedRequest(header=LIFE, expected=expected, found=found[:100])
        return int(found)

    def answer(self, published: Published) -> Response:
        """What now stands at the path."""
        _count(published)
        artifact = published.artifact
        expiry = Decision(None)
        if published.may_expire:
            expiry = expiry_of(artifact, now=timezone.now())
        return Response(
            artifact_document(artifact, expiry),
            status=201 if published.is_new else 200,
            headers={
                "Location": artifact_url(artifact),
                "Repr-Digest": Sha256(artifact.blob.sha256).field,
            },
        )

    def handle_exception(self, exc: Exception) -> Response:
        """Whatever is refused, wherever: the client may still be sending."""
        if self.request.method == "PUT":
            UPLOADS.labels(exc.code if isinstance(exc, Refusal) else "unexpected").inc()
            self.body.drain()
        return super().handle_exception(exc)


class ArtifactUpload(_Upload):
    """A file that is a build of its own."""

    def put(self, request: Request, organization: str, project: str, path: str) -> Response:
        """Store the body under the path."""
        published = publish_file(
            actor=actor_of(request),
            place=Place(organization, project, path),
            incoming=self.incoming(asked_life_days=self.life_days()),
            store=wiring.blob_store(),
            clock=timezone.now,
        )
        return self.answer(published)


class BuildUpload(_Upload):
    """A file of a build that is open."""

    def put(self, request: Request, build: UUID, path: str) -> Response:
        """Store the body under the path; nobody sees it before the build is published."""
        if self.life_days() is not None:
            raise MalformedRequest(header=LIFE, expected="asked for when the build is opened")
        received = receive_file(
            actor=actor_of(request),
            slot=Slot(build, path, settings.MAX_BUILD_FILES),
            incoming=self.incoming(),
            store=wiring.blob_store(),
            counts=wiring.file_counts(),
            clock=timezone.now,
        )
        return self.answer(received)

    def delete(self, request: Request, build: UUID, path: str) -> Response:
        """Take the file back out of the open build; other bytes may then take its path."""
        withdraw_file(actor=actor_of(request), build=build, path=path, now=timezone.now())
        return Response(status=204)


def _count(published: Published) -> None:
    UPLOADS.labels("stored" if published.is_new else "repeated").inc()
    if published.is_new:
        UPLOAD_BYTES.inc(published.artifact.blob.size_bytes)
