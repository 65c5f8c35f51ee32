"""The builds of a project: listed, opened, and sealed with the set of files they should have."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import build_document, build_summary, opened_document
from artifacts.api.filters import asked, time
from artifacts.api.finding import first_files
from artifacts.api.links import build_url, project_url
from artifacts.api.pages import PAGE_BUILDS, next_link
from artifacts.domain.lifecycle import BuildState
from artifacts.domain.retention_document import MAX_DAYS
from artifacts.domain.visibility import require_read
from artifacts.queries import BuildFilter, builds_after, own_build, visible_project
from artifacts.queries.positions import build_cursor, build_position
from artifacts.usecases.complete_build import complete_build
from artifacts.usecases.start_build import Wanted, start_build
from kernel.digest import Sha256
from kernel.errors import Refusal
from kernel.native import NativeView, SmallJSONParser
from kernel.rest import MalformedRequest, actor_of, choice
from provenance.queries import request_statuses

MAX_SEAL_BYTES: Final = 8 * 1024 * 1024


class BuildIn(serializers.Serializer[Any]):
    """A build to open. Nothing is shared unless it is said, and then it has a name."""

    name = serializers.CharField(default="", allow_blank=True)
    shared = serializers.BooleanField(default=False)
    life_days = serializers.IntegerField(
        min_value=1, max_value=MAX_DAYS, required=False, allow_null=True, default=None
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["shared"] and not attrs["name"]:
            raise serializers.ValidationError({"name": ["A shared build needs a name."]})
        return attrs


class SealParser(SmallJSONParser):
    """The set of files of a large build is no small JSON."""

    limit_bytes = MAX_SEAL_BYTES


class ProjectBuilds(NativeView):
    """The builds of a project."""

    def get(self, request: Request, organization: str, project: str) -> Response:
        """Show one page, newest first; the Link header leads to the next with the same filters."""
        actor = actor_of(request)
        found = visible_project(actor=actor, organization=organization, project=project)
        require_read(actor, project=found.pk, is_public=found.is_public)
        parameters = asked(request, "cursor", "state", "ref", "commit", "name", "since")
        builds = builds_after(
            build_position(parameters.get("cursor")),
            project=found,
            limit=PAGE_BUILDS + 1,
            wanted=BuildFilter(
                state=choice(parameters, "state", BuildState),
                ref=parameters.get("ref"),
                commit=parameters.get("commit"),
                name=parameters.get("name"),
                since=time(parameters, "since"),
            ),
        )
        shown = builds[:PAGE_BUILDS]
        response = Response({"builds": [build_summary(build) for build in shown]})
        if len(builds) > PAGE_BUILDS:
            response["Link"] = next_link(
                f"{project_url(found)}/builds", build_cursor(shown[-1]), parameters
            )
        return response

    def post(self, request: Request, organization: str, project: str) -> Response:
        """Open one for the token's job, or find the job's; 201 when it is new and 200 if not."""
        actor = actor_of(request)
        # Before the body is looked at: a stranger learns nothing from how it is refused.
        visible_project(actor=actor, organization=organization, project=project)
        asked = BuildIn(data=request.data)
        asked.is_valid(raise_exception=True)
        started = start_build(
            actor=actor,
            wanted=Wanted(
                organization=organization,
                project=project,
                name=asked.validated_data["name"],
                is_shared=asked.validated_data["shared"],
                asked_life_days=asked.validated_data["life_days"],
            ),
            now=timezone.now(),
        )
        return Response(
            opened_document(started.build),
            status=201 if started.is_new else 200,
            headers={"Location": build_url(started.build)},
        )


class BuildSeal(NativeView):
    """The end of a build's uploads."""

    parser_classes = (SealParser,)

    def post(self, request: Request, build: UUID) -> Response:
        """Seal the build if it has exactly the files that are named; again is harmless."""
        actor = actor_of(request)
        own_build(actor=actor, build=build)  # before the body is looked at, as above
        sealed = complete_build(
            actor=actor, build=build, expected=expected_files(request.data), now=timezone.now()
        )
        return Response(
            build_document(sealed, first_files(sealed), request_statuses(build=sealed.pk))
        )


def expected_files(body: object) -> dict[str, Sha256]:
    """The set that the body names: `{"files": [{"path": …, "sha256": …}]}`, each path once.

    Raises:
        MalformedRequest: it names none; `entry` (from 1) says where reading ended.
    """
    listed = body.get("files") if isinstance(body, Mapping) else None
    if not isinstance(listed, list):
        raise MalformedRequest(field="files", expected="a list of objects with path and sha256")
    files: dict[str, Sha256] = {}
    for number, entry in enumerate(listed, start=1):
        match entry:
            case {"path": str(path), "sha256": str(digest)} if path not in files:
                files[path] = _digest(digest, entry=number)
            case {"path": str(path), "sha256": str()}:
                raise MalformedRequest(field="files", entry=number, expected="each path once")
            case _:
                raise MalformedRequest(field="files", entry=number, expected="path and sha256")
    return files


def _digest(text: str, *, entry: int) -> Sha256:
    try:
        return Sha256(text)
    except Refusal as refusal:
        raise MalformedRequest(field="files", entry=entry, **refusal.facts) from refusal
