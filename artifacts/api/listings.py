"""What there is: the index, the limits, a project, a build, an artifact without its bytes."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts import wiring
from artifacts.api.builds import MAX_SEAL_BYTES
from artifacts.api.documents import (
    artifact_document,
    build_document,
    project_document,
)
from artifacts.api.finding import MAX_DIGESTS, first_files, with_more
from artifacts.api.links import root
from artifacts.api.pages import PAGE_BUILDS, PAGE_DOWNLOADS, PAGE_FILES
from artifacts.domain.names import MAX_PATH_BYTES, MAX_SEGMENT_BYTES, MAX_SLUG_CHARACTERS
from artifacts.domain.parts import MOST_BYTES
from artifacts.domain.visibility import require_read
from artifacts.models import Build, Project
from artifacts.queries import (
    visible_artifact,
    visible_build,
    visible_project,
)
from artifacts.queries.expiry import expiry_of
from artifacts.queries.uploads import hindrance_to_direct, no_bucket
from artifacts.usecases.change_visibility import change_visibility
from kernel.actor import Permission
from kernel.native import NativeView
from kernel.rest import actor_of
from provenance.queries import request_statuses


class VisibilityIn(serializers.Serializer[Any]):
    """Whether everybody may read a project."""

    is_public = serializers.BooleanField()


class Index(NativeView):
    """The addresses of this API, as templates."""

    def get(self, _request: Request) -> Response:
        """List them."""
        project = f"{root()}/projects/{{organization}}/{{project}}"
        artifact = f"{root()}/artifacts/{{artifact}}"
        return Response(
            {
                "limits": f"{root()}/limits",
                "organizations": f"{root()}/organizations",
                "projects": f"{root()}/projects",
                "organization": f"{root()}/organizations/{{organization}}",
                "project": project,
                "expectations": f"{project}/expectations",
                "find": f"{project}/artifacts{{?sha256,path}}",
                "policy": f"{project}/policy",
                **_keeping(project),
                "transparency": f"{project}/transparency",
                "transparency_of_build": f"{root()}/builds/{{build}}/transparency",
                "upload": f"{project}/artifacts/{{path}}",
                "builds": f"{project}/builds",
                "files": f"{project}/files{{?prefix}}",
                "digests": f"{project}/digests",
                "latest": f"{project}/latest/{{path}}{{?ref}}",
                "downloads": f"{project}/downloads",
                "allowed_refs": f"{project}/refs",
                "build": f"{root()}/builds/{{build}}",
                "files_of_build": f"{root()}/builds/{{build}}/files{{?prefix}}",
                "upload_to_build": f"{root()}/builds/{{build}}/files/{{path}}",
                "seal": f"{root()}/builds/{{build}}/seal",
                "download_by_name": f"{project}/builds/{{build}}/artifacts/{{path}}",
                "artifact": artifact,
                "download": f"{artifact}/download",
                "archive_members": f"{artifact}/members",
                "verification": f"{artifact}/verification",
                "attestations": f"{artifact}/attestations",
                "members": f"{project}/members",
                "invitations": f"{root()}/invitations",
                "login": f"{root()}/login",
                "me": f"{root()}/me",
                "audit": f"{root()}/audit",
                "signing_queue": f"{root()}/signing-queue",
                "usage": f"{project}/usage",
                "usage_of_organization": f"{root()}/organizations/{{organization}}/usage",
                "quota": f"{project}/quota",
                "quota_of_organization": f"{root()}/organizations/{{organization}}/quota",
                "problems": f"{settings.PUBLIC_URL}/problems/",
            }
        )


class Limits(NativeView):
    """Every limit of an upload, with the setting behind it and who can change it."""

    def get(self, _request: Request) -> Response:
        """List them."""
        return Response(
            {
                "upload": {
                    "limit_bytes": settings.MAX_UPLOAD_BYTES,
                    "setting": "STRONGROOM_MAX_UPLOAD_BYTES",
                    "raised_by": "the operator of this store",
                },
                "direct": _direct_limits(),
                "build": {
                    "limit_files": settings.MAX_BUILD_FILES,
                    "setting": "STRONGROOM_MAX_BUILD_FILES",
                    "raised_by": "the operator of this store",
                },
                "path": {"limit_bytes": MAX_PATH_BYTES, "segment_limit_bytes": MAX_SEGMENT_BYTES},
                "slug": {"limit_characters": MAX_SLUG_CHARACTERS},
                "page": {"builds": PAGE_BUILDS, "files": PAGE_FILES, "downloads": PAGE_DOWNLOADS},
                "digests": {"limit": MAX_DIGESTS},
                "seal": {"limit_bytes": MAX_SEAL_BYTES},
            }
        )


class ProjectDetail(NativeView):
    """One project."""

    def get(self, request: Request, organization: str, project: str) -> Response:
        """Show it."""
        return Response(project_document(_readable_project(request, organization, project)))

    def patch(self, request: Request, organization: str, project: str) -> Response:
        """Make it public or private."""
        actor = actor_of(request)
        # Before the body is looked at: a stranger learns nothing from how it is refused.
        found = visible_project(actor=actor, organization=organization, project=project)
        actor.require(Permission.OWN, project=found.pk)
        asked = VisibilityIn(data=request.data)
        asked.is_valid(raise_exception=True)
        changed = change_visibility(
            actor=actor,
            organization=organization,
            project=project,
            is_public=asked.validated_data["is_public"],
            now=timezone.now(),
        )
        return Response(project_document(changed))


class BuildDetail(NativeView):
    """One build: its state, why it was refused if it was, and its files."""

    def get(self, request: Request, build: UUID) -> Response:
        """Show it."""
        return _show_build(request, visible_build(actor=actor_of(request), build=build))


class ProjectBuildDetail(NativeView):
    """The same by project."""

    def get(self, request: Request, organization: str, project: str, build: UUID) -> Response:
        """Show it."""
        actor = actor_of(request)
        place = visible_project(actor=actor, organization=organization, project=project)
        return _show_build(request, visible_build(actor=actor, build=build, project=place))


class ArtifactDetail(NativeView):
    """One artifact without its bytes."""

    def get(self, request: Request, artifact: UUID) -> Response:
        """Show it."""
        actor = actor_of(request)
        found = visible_artifact(actor=actor, artifact=artifact)
        require_read(actor, project=found.project_id, is_public=found.project.is_public)
        return Response(artifact_document(found, expiry_of(found, now=timezone.now())))


def _keeping(project: str) -> dict[str, str]:
    """The addresses of what decides how long things stay."""
    return {
        "retention_policy": f"{root()}/retention-policy",
        "retention_policy_of_organization": (
            f"{root()}/organizations/{{organization}}/retention-policy"
        ),
        "retention_plans": f"{root()}/retention-plans",
        "retention_plans_of_organization": (
            f"{root()}/organizations/{{organization}}/retention-plans"
        ),
        "retention_plans_of_project": f"{project}/retention-plans",
        "retention_plan": f"{root()}/retention-plans/{{plan}}",
        "retention_policy_of_project": f"{project}/retention-policy",
        "holds": f"{root()}/holds{{?state,artifact,build}}",
        "hold": f"{root()}/holds/{{hold}}",
        "holds_of_project": f"{project}/holds{{?state,artifact,build}}",
        "trash": f"{project}/trash",
        "uses": f"{project}/uses{{?kind,sha256}}",
    }


def _direct_limits() -> dict[str, Any]:
    """Whether files can go straight to the bucket, and which of them should."""
    target = wiring.upload_target()
    hindrance = no_bucket() if target.direct is None else hindrance_to_direct(place=target.place)
    return {
        "is_offered": hindrance is None,
        "hindrance": hindrance.facts if hindrance is not None else None,
        "from_bytes": settings.DIRECT_UPLOAD_BYTES,
        "limit_bytes": MOST_BYTES,
        "setting": "STRONGROOM_DIRECT_UPLOAD_BYTES",
    }


def _readable_project(request: Request, organization: str, project: str) -> Project:
    actor = actor_of(request)
    found = visible_project(actor=actor, organization=organization, project=project)
    require_read(actor, project=found.pk, is_public=found.is_public)
    return found


def _show_build(request: Request, build: Build) -> Response:
    require_read(actor_of(request), project=build.project_id, is_public=build.project.is_public)
    files = first_files(build)
    response = Response(build_document(build, files, request_statuses(build=build.pk)))
    return with_more(response, build, files)
