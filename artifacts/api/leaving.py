"""The answer that carries an artifact's bytes: streamed, or handed to who sends them faster.

Whoever sends them, the decision is made before, and every answer of ours names the digest. What
does not pass through here is measured by its reader alone.
"""

import logging
from functools import partial
from typing import Final
from urllib.parse import urlsplit

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.http import content_disposition_header

from artifacts import wiring
from artifacts.api.streaming import BlobStream
from artifacts.domain.handover import Way
from artifacts.domain.ranges import ByteRange
from artifacts.errors import BlobDamaged, BlobMissing
from artifacts.models import Artifact
from artifacts.ports import Attachment
from artifacts.usecases.mark_damaged import mark_damaged
from kernel.connections import give_back
from kernel.digest import Sha256

logger = logging.getLogger(__name__)

CONTENT_TYPE: Final = "application/octet-stream"
# nginx's internal locations (deploy/nginx). A client that asks for them gets 404.
DIRECTORY_LOCATION: Final = "/_directory"
BUCKET_LOCATION: Final = "/_bucket"


def head(artifact: Artifact) -> HttpResponseBase:
    """What a GET would answer, without bytes, and never from elsewhere."""
    open_blob(artifact).close()
    return _named(HttpResponse(), artifact, length=artifact.blob.size_bytes)


def body(artifact: Artifact, selected: ByteRange | None, way: Way) -> HttpResponseBase:
    """The artifact, or the part that was selected, by one of the ways."""
    match way:
        case Way.STREAM:
            return _stream(artifact, selected)
        case Way.REDIRECT:
            return _redirect(artifact)
        case Way.X_ACCEL:
            return _x_accel(artifact, selected)


def open_blob(artifact: Artifact) -> BlobStream:
    """Open the bytes; their absence is the operator's emergency, not the consumer's mistake."""
    blob = artifact.blob
    try:
        return BlobStream(wiring.blob_store(), blob.stored)
    except BlobMissing as refusal:
        logger.exception("blob missing", extra={"key": blob.key, "artifact": str(artifact.pk)})
        raise BlobMissing(artifact=artifact.pk, sha256=blob.sha256) from refusal


def attachment_of(name: str) -> Attachment:
    """Something to be kept under this name, whatever is in it."""
    disposition = content_disposition_header(as_attachment=True, filename=name)
    return Attachment(disposition or "attachment", CONTENT_TYPE)


def _stream(artifact: Artifact, selected: ByteRange | None) -> HttpResponseBase:
    stream = open_blob(artifact)
    if selected is None:
        whole = StreamingHttpResponse(_whole(stream, artifact))
        return _named(whole, artifact, length=artifact.blob.size_bytes)
    part = StreamingHttpResponse(stream.select(selected.start, selected.length), status=206)
    part["Content-Range"] = selected.content_range
    return _named(part, artifact, length=selected.length)


def _whole(stream: BlobStream, artifact: Artifact) -> BlobStream:
    try:
        return stream.whole(Sha256(artifact.blob.sha256), damaged=partial(_tell, artifact))
    except BlobDamaged:
        stream.close()
        raise


def _tell(artifact: Artifact, found: str) -> None:
    """Nobody else gets them; also when the first pieces have left already."""
    mark_damaged(blob=artifact.blob, found=found, now=timezone.now())
    give_back()


def _redirect(artifact: Artifact) -> HttpResponseBase:
    """To the bucket. The reader sends its Range there, and nobody keeps the address."""
    response = HttpResponse(status=302)
    response["Location"] = wiring.public_reads().url(artifact.blob.stored, _attachment(artifact))
    response["Referrer-Policy"] = "no-referrer"
    del response["Content-Type"]  # there is nothing to have a type
    return response


def _x_accel(artifact: Artifact, selected: ByteRange | None) -> HttpResponseBase:
    """For nginx, which sends the file or asks the bucket; the reader sees neither address."""
    response = _named(HttpResponse(), artifact, length=None)
    reads = wiring.internal_reads()
    if reads is None:
        open_blob(artifact).close()
        response["X-Accel-Redirect"] = f"{DIRECTORY_LOCATION}/{artifact.blob.key}"
        return response
    parts = urlsplit(reads.url(artifact.blob.stored, _attachment(artifact)))
    response["X-Accel-Redirect"] = f"{BUCKET_LOCATION}{parts.path}?{parts.query}"
    if selected is not None:
        last = selected.start + selected.length - 1
        response["Strongroom-Range"] = f"bytes={selected.start}-{last}"
    return response


def _named(
    response: HttpResponseBase, artifact: Artifact, *, length: int | None
) -> HttpResponseBase:
    attachment = _attachment(artifact)
    if length is not None:
        response["Content-Length"] = str(length)
    response["Content-Type"] = attachment.content_type
    response["Content-Disposition"] = attachment.disposition
    return response


def _attachment(artifact: Artifact) -> Attachment:
    return attachment_of(artifact.path.rpartition("/")[2])
