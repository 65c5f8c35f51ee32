"""Looking into an archive: what is in it, and one member of it, after the decision about all."""

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.downloads import VerifiedView, conditions_of, say_verified, selected_range
from artifacts.api.filters import asked as parameters_of
from artifacts.api.leaving import attachment_of
from artifacts.api.links import artifact_url
from artifacts.api.pages import PAGE_MEMBERS, next_link
from artifacts.api.shapes import MemberDocument
from artifacts.domain.archives import Member
from artifacts.domain.conditions import Outcome, Validators, judge
from artifacts.errors import PreconditionFailed
from artifacts.models import Artifact
from artifacts.queries import visible_artifact
from artifacts.queries.positions import decode_cursor, encode_cursor
from artifacts.usecases.browse_archive import (
    Measured,
    OpenedArchive,
    again,
    list_members,
    measure_member,
)
from artifacts.usecases.log_download import Answered, Asked
from artifacts.wiring import archive_turn, opened_archive
from kernel.digest import Sha256
from kernel.rest import MalformedRequest, actor_of
from provenance.domain.report import Verdict

PART_OF: Final = "Strongroom-Part-Of"


class Sending:
    """Iterates over a member's bytes, and closes the archive at the end."""

    def __init__(self, opened: OpenedArchive, chunks: Iterator[bytes]) -> None:
        self._opened = opened
        self._chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def close(self) -> None:
        """Close the archive; the server calls this at the end, or when the client leaves."""
        self._opened.close()


class ArchiveMembers(VerifiedView):
    """What is in an archive."""

    def get(self, request: Request, artifact: UUID) -> HttpResponseBase:
        """Show one page, in the archive's order."""
        return self.serve(request, visible_artifact(actor=actor_of(request), artifact=artifact))

    def answer(
        self, request: Request, asked: Asked, verdict: Verdict
    ) -> tuple[HttpResponseBase, Answered]:
        parameters = parameters_of(request, "cursor")
        position = decode_cursor(parameters.get("cursor"), _count)
        start = position[0] if position is not None else 0
        with archive_turn(), opened_archive(asked.artifact) as opened:
            found = list_members(archive=opened.archive, start=start, limit=PAGE_MEMBERS + 1)
            response = Response(
                {
                    "artifact": artifact_url(asked.artifact),
                    "sha256": asked.artifact.blob.sha256,
                    "is_measured": opened.is_measured,
                    "format": opened.archive.format,
                    "members": [_row(member) for member in found[:PAGE_MEMBERS]],
                }
            )
        say_verified(response, asked.artifact, verdict)
        if len(found) > PAGE_MEMBERS:
            url = artifact_url(asked.artifact, "/members")
            more = next_link(url, encode_cursor(start + PAGE_MEMBERS), parameters)
            response["Link"] = ", ".join(filter(None, [response.get("Link", ""), more]))
        return response, Answered("members", verdict=verdict)


class ArchiveMember(VerifiedView):
    """One file of an archive."""

    def get(self, request: Request, artifact: UUID, path: str) -> HttpResponseBase:
        """Serve it, with the digest of its own bytes; it is a part, and has no attestation."""
        if not path or "\x00" in path:
            raise MalformedRequest(expected="the path of a member")
        return self.serve(request, visible_artifact(actor=actor_of(request), artifact=artifact))

    def answer(
        self, request: Request, asked: Asked, verdict: Verdict
    ) -> tuple[HttpResponseBase, Answered]:
        path = str(self.kwargs["path"])
        # It ends before the first byte is sent: few who read slowly would keep all others out.
        with archive_turn():
            opened = opened_archive(asked.artifact)
            try:
                response, byte_range = _part(request, asked.artifact, opened, path)
            except BaseException:
                opened.close()
                raise
        whole = Sha256(asked.artifact.blob.sha256).field
        response[PART_OF] = f"{whole}; measured=?{int(opened.is_measured)}"
        say_verified(response, asked.artifact, verdict)
        return response, Answered("member", byte_range, verdict, member=path)


def _part(
    request: Request, artifact: Artifact, opened: OpenedArchive, path: str
) -> tuple[HttpResponseBase, str]:
    measured = measure_member(archive=opened.archive, path=path)
    validators = Validators.of(measured.digest, artifact.stored_at)
    outcome = judge(conditions_of(request), validators)
    if outcome is Outcome.PRECONDITION_FAILED:
        raise PreconditionFailed(etag=validators.etag, last_modified=validators.last_modified)
    response: HttpResponseBase
    byte_range = ""
    if outcome is Outcome.NOT_MODIFIED:
        opened.close()
        response = HttpResponse(status=304)
        del response["Content-Type"]  # there is nothing to have a type
    else:
        if request.method == "HEAD":
            opened.close()
            response = HttpResponse()
            response["Content-Length"] = str(measured.member.size_bytes)
        else:
            response, byte_range = _bytes(request, opened, measured, validators)
        attachment = attachment_of(path.rpartition("/")[2])
        response["Content-Type"] = attachment.content_type
        response["Content-Disposition"] = attachment.disposition
    response["ETag"] = validators.etag
    response["Last-Modified"] = validators.last_modified
    response["Repr-Digest"] = measured.digest.field
    return response, byte_range


def _bytes(
    request: Request, opened: OpenedArchive, measured: Measured, validators: Validators
) -> tuple[HttpResponseBase, str]:
    """All of the member, or a range of one that is stored as it is."""
    member = measured.member
    stored_at = opened.archive.stored_at(member.path)
    if stored_at is not None:
        selected = selected_range(request, validators, size_bytes=member.size_bytes)
        if selected is not None:
            chunks = opened.reader.chunks(stored_at + selected.start, selected.length)
            part = StreamingHttpResponse(Sending(opened, chunks), status=206)
            part["Content-Range"] = selected.content_range
            part["Content-Length"] = str(selected.length)
            return part, selected.content_range
    whole = StreamingHttpResponse(Sending(opened, again(archive=opened.archive, measured=measured)))
    whole["Content-Length"] = str(member.size_bytes)
    if stored_at is not None:
        whole["Accept-Ranges"] = "bytes"
    return whole, ""


def _row(member: Member) -> MemberDocument:
    return {
        "path": member.path.encode(errors="backslashreplace").decode(),
        "kind": member.kind.value,
        "size_bytes": member.size_bytes,
        "target": member.target.encode(errors="backslashreplace").decode(),
        "is_fetchable": not member.why_not,
        "why_not": member.why_not,
    }


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:  # noqa: PLR2004 - far enough
        raise ValueError(text)
    return int(text)
