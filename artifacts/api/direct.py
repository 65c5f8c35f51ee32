"""Direct uploads: started, given addresses for their parts, looked at, completed, given up."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts import wiring
from artifacts.api.documents import rfc3339
from artifacts.api.links import artifact_url, build_url, root
from artifacts.api.shapes import (
    ArrivedDocument,
    SignedPartDocument,
    StoredDocument,
    UploadDocument,
)
from artifacts.domain.transfer import UploadState
from artifacts.errors import DirectUploadsUnavailable
from artifacts.models import Artifact, Upload
from artifacts.ports import ArrivedPart, DirectUploads, SignedPart
from artifacts.queries import own_build, own_upload
from artifacts.usecases.abort_upload import abort_upload
from artifacts.usecases.complete_upload import complete_upload
from artifacts.usecases.sign_parts import sign_parts
from artifacts.usecases.start_upload import Announced, start_upload
from kernel.digest import Sha256
from kernel.errors import Refusal
from kernel.native import NativeView, SmallJSONParser
from kernel.rest import MalformedRequest, actor_of

MOST_PARTS: Final = 1000
MAX_PARTS_BYTES: Final = 256 * 1024


class UploadIn(serializers.Serializer[Any]):
    """A file that is about to be sent; an empty one goes through the store."""

    path = serializers.CharField(trim_whitespace=False)
    sha256 = serializers.CharField()
    size_bytes = serializers.IntegerField(min_value=1)


class PartsParser(SmallJSONParser):
    """A thousand digests are no small JSON."""

    limit_bytes = MAX_PARTS_BYTES


class BuildUploads(NativeView):
    """The direct uploads of a build."""

    def post(self, request: Request, build: UUID) -> Response:
        """Start one, or find the pending one; 201 when it is new and 200 if not."""
        actor = actor_of(request)
        own_build(actor=actor, build=build)  # a stranger learns nothing from how a body is refused
        asked = UploadIn(data=request.data)
        asked.is_valid(raise_exception=True)
        begin = start_upload(
            actor=actor,
            build=build,
            announced=Announced(
                asked.validated_data["path"],
                Sha256(asked.validated_data["sha256"]),
                asked.validated_data["size_bytes"],
            ),
            target=wiring.upload_target(),
            now=timezone.now(),
        )
        return Response(
            upload_document(begin.upload),
            status=201 if begin.is_new else 200,
            headers={"Location": upload_url(begin.upload)},
        )


class UploadDetail(NativeView):
    """One direct upload."""

    def get(self, request: Request, upload: UUID) -> Response:
        """Show how far it is: which parts arrived, how much was measured, and how it ended."""
        found = own_upload(actor=actor_of(request), upload=upload)
        arrived = None
        if found.state == UploadState.OPEN:
            arrived = _direct().resume(found.begun).arrived()
        return Response(upload_document(found, arrived))

    def delete(self, request: Request, upload: UUID) -> Response:
        """Give it up."""
        actor = actor_of(request)
        own_upload(actor=actor, upload=upload)
        abort_upload(actor=actor, upload=upload, direct=_direct(), now=timezone.now())
        return Response(status=204)


class UploadParts(NativeView):
    """The addresses of an upload's parts."""

    parser_classes = (PartsParser,)

    def post(self, request: Request, upload: UUID) -> Response:
        """Sign an address for each part that is named with its digest; again is harmless."""
        actor = actor_of(request)
        own_upload(actor=actor, upload=upload)
        signed = sign_parts(
            actor=actor,
            upload=upload,
            parts=wanted_parts(request.data),
            direct=_direct(),
            now=timezone.now(),
        )
        return Response({"parts": [_signed(part) for part in signed]})


class UploadCompletion(NativeView):
    """The end of an upload's parts."""

    def post(self, request: Request, upload: UUID) -> Response:
        """Freeze it; 202, because its bytes are measured before they are the build's."""
        actor = actor_of(request)
        own_upload(actor=actor, upload=upload)
        completed = complete_upload(
            actor=actor, upload=upload, direct=_direct(), now=timezone.now()
        )
        return Response(
            upload_document(completed),
            status=200 if completed.state == UploadState.STORED else 202,
        )


def upload_url(upload: Upload) -> str:
    """A direct upload, by its id alone."""
    return f"{root()}/uploads/{upload.pk}"


def upload_document(upload: Upload, arrived: Sequence[ArrivedPart] | None = None) -> UploadDocument:
    """An upload, how far it is, and where to go from here."""
    url = upload_url(upload)
    return {
        "id": str(upload.pk),
        "build": str(upload.build_id),
        "path": upload.path,
        "state": upload.state,
        "sha256": upload.declared_sha256,
        "size_bytes": upload.size_bytes,
        "part_bytes": upload.part_bytes,
        "part_count": upload.plan.part_count,
        "arrived": [_arrived(part) for part in arrived] if arrived is not None else None,
        "measured_bytes": upload.measured_bytes,
        "last_error": (upload.last_error or {}).get("code"),
        "refused": upload.refused,
        "stored": _stored(upload.artifact) if upload.artifact is not None else None,
        "started_at": rfc3339(upload.started_at),
        "completed_at": rfc3339(upload.completed_at),
        "urls": {
            "self": url,
            "parts": f"{url}/parts",
            "complete": f"{url}/complete",
            "build": build_url(upload.build),
            "artifact": artifact_url(upload.artifact) if upload.artifact is not None else None,
        },
    }


def wanted_parts(body: object) -> dict[int, Sha256]:
    """The parts that the body names: `{"parts": [{"number": …, "sha256": …}]}`, each once.

    Raises:
        MalformedRequest: it names none, or too many; `entry` (from 1) says where reading ended.
    """
    listed = body.get("parts") if isinstance(body, Mapping) else None
    if not isinstance(listed, list) or not 1 <= len(listed) <= MOST_PARTS:
        raise MalformedRequest(
            field="parts", expected=f"1 to {MOST_PARTS} objects with number and sha256"
        )
    parts: dict[int, Sha256] = {}
    for number, entry in enumerate(listed, start=1):
        match entry:
            case {"number": int(part), "sha256": str(digest)} if part not in parts:
                parts[part] = _digest(digest, entry=number)
            case _:
                raise MalformedRequest(
                    field="parts", entry=number, expected="number and sha256, each number once"
                )
    return parts


def _digest(text: str, *, entry: int) -> Sha256:
    try:
        return Sha256(text)
    except Refusal as refusal:
        raise MalformedRequest(field="parts", entry=entry, **refusal.facts) from refusal


def _direct() -> DirectUploads:
    """Where the upload's bytes are: it was started, so that there was a bucket then."""
    direct = wiring.direct_uploads()
    if direct is None:
        raise DirectUploadsUnavailable(reason="this store keeps its bytes in a directory now")
    return direct


def _arrived(part: ArrivedPart) -> ArrivedDocument:
    return {
        "number": part.number,
        "size_bytes": part.size_bytes,
        "sha256": part.digest.hex if part.digest is not None else None,
    }


def _stored(artifact: Artifact) -> StoredDocument:
    """What was measured, and is the build's."""
    return {
        "artifact": str(artifact.pk),
        "sha256": artifact.blob.sha256,
        "size_bytes": artifact.blob.size_bytes,
    }


def _signed(part: SignedPart) -> SignedPartDocument:
    return {
        "number": part.number,
        "method": "PUT",
        "url": part.url,
        "headers": dict(part.headers),
        "expires_at": rfc3339(part.expires_at),
    }
