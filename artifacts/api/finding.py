"""Finding files: of a build and of a project by page and prefix, and many at once by digest."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import FirstFiles, file_document, found_document
from artifacts.api.filters import asked
from artifacts.api.links import build_url, project_url
from artifacts.api.pages import PAGE_FILES, next_link
from artifacts.domain.visibility import require_read
from artifacts.models import Build, Project
from artifacts.queries import visible_build, visible_project
from artifacts.queries.finding import (
    artifacts_by_path,
    artifacts_with_digests,
    count_files,
    files_of,
)
from artifacts.queries.positions import (
    decode_cursor,
    encode_cursor,
    file_cursor,
    file_position,
    safe_path,
)
from kernel.digest import Sha256
from kernel.native import NativeView, SmallJSONParser
from kernel.rest import MalformedRequest, RequestTooLarge, actor_of

if TYPE_CHECKING:
    from artifacts.api.shapes import FoundDocument

MAX_DIGESTS: Final = 1000
# Two hundred files of one build may well be the same empty one.
MAX_FOUND_OF_DIGEST: Final = 10


class DigestsParser(SmallJSONParser):
    """A thousand digests with their quotes and commas are more than a small JSON."""

    limit_bytes = 128 * 1024


class BuildFiles(NativeView):
    """The files of a build, by path."""

    def get(self, request: Request, build: UUID) -> Response:
        """Show one page; `?prefix=` keeps to the paths that begin so."""
        actor = actor_of(request)
        found = visible_build(actor=actor, build=build)
        require_read(actor, project=found.project_id, is_public=found.project.is_public)
        parameters = asked(request, "cursor", "prefix")
        after = decode_cursor(parameters.get("cursor"), safe_path)
        files = files_of(
            found,
            prefix=parameters.get("prefix", ""),
            after=after[0] if after is not None else "",
            limit=PAGE_FILES + 1,
            now=timezone.now(),
        )
        shown = files[:PAGE_FILES]
        response = Response(
            {"build": str(found.pk), "artifacts": [file_document(artifact) for artifact in shown]}
        )
        if len(files) > PAGE_FILES:
            cursor = encode_cursor(shown[-1].path)
            response["Link"] = next_link(f"{build_url(found)}/files", cursor, parameters)
        return response


class ProjectFiles(NativeView):
    """The artifacts of a project, by path, the newest of a path first."""

    def get(self, request: Request, organization: str, project: str) -> Response:
        """Show one page; `?prefix=` keeps to the paths that begin so."""
        place = readable_project(request, organization, project)
        parameters = asked(request, "cursor", "prefix")
        found = artifacts_by_path(
            project=place,
            prefix=parameters.get("prefix", ""),
            after=file_position(parameters.get("cursor")),
            limit=PAGE_FILES + 1,
            now=timezone.now(),
        )
        shown = found[:PAGE_FILES]
        response = Response({"artifacts": [found_document(artifact) for artifact in shown]})
        if len(found) > PAGE_FILES:
            url = f"{project_url(place)}/files"
            response["Link"] = next_link(url, file_cursor(shown[-1]), parameters)
        return response


class ProjectDigests(NativeView):
    """Which of many digests the project has. It tells nothing of other projects' bytes."""

    parser_classes = (DigestsParser,)

    def post(self, request: Request, organization: str, project: str) -> Response:
        """Answer for each digest with the newest artifacts that have it."""
        place = readable_project(request, organization, project)
        digests = wanted_digests(request.data)
        found: dict[str, list[FoundDocument]] = {digest.hex: [] for digest in digests}
        for artifact in artifacts_with_digests(
            project=place, digests=digests, limit=MAX_FOUND_OF_DIGEST, now=timezone.now()
        ):
            found[artifact.blob.sha256].append(found_document(artifact))
        return Response(
            {
                "found": {digest: artifacts for digest, artifacts in found.items() if artifacts},
                "missing": [digest for digest, artifacts in found.items() if not artifacts],
                "limit_of_digest": MAX_FOUND_OF_DIGEST,
            }
        )


def wanted_digests(body: object) -> list[Sha256]:
    """The digests that the body names, each once: `{"sha256": ["…"]}`.

    Raises:
        MalformedRequest: it names none in a readable form.
        RequestTooLarge: it names too many.
        MalformedDigest: one is none.
    """
    listed = body.get("sha256") if isinstance(body, Mapping) else None
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise MalformedRequest(field="sha256", expected="a list of digests")
    if len(listed) > MAX_DIGESTS:
        raise RequestTooLarge(field="sha256", limit=MAX_DIGESTS, observed=len(listed))
    return [Sha256(digest) for digest in dict.fromkeys(listed)]


def first_files(build: Build) -> FirstFiles:
    """The first page of the build's files, and how many there are."""
    now = timezone.now()
    artifacts = files_of(build, prefix="", after="", limit=PAGE_FILES, now=now)
    is_all = len(artifacts) < PAGE_FILES
    return FirstFiles(artifacts, len(artifacts) if is_all else count_files(build, now=now))


def with_more(response: Response, build: Build, files: FirstFiles) -> Response:
    """The same answer with the way to the other files, where there are more than it shows."""
    if files.count > len(files.artifacts):
        cursor = encode_cursor(files.artifacts[-1].path)
        response["Link"] = next_link(f"{build_url(build)}/files", cursor, {})
    return response


def readable_project(request: Request, organization: str, project: str) -> Project:
    """The project of these slugs, for an actor who may read it."""
    actor = actor_of(request)
    found = visible_project(actor=actor, organization=organization, project=project)
    require_read(actor, project=found.pk, is_public=found.is_public)
    return found
