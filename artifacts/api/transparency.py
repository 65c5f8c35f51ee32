"""Where a project's statements are recorded, and what would become public of a build."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.finding import readable_project
from artifacts.api.links import build_url
from artifacts.api.signing_shapes import BuildTransparencyDocument, TransparencyDocument
from artifacts.domain.visibility import require_read
from artifacts.models import Project
from artifacts.queries import visible_build, visible_project
from artifacts.usecases.choose_transparency import choose_transparency
from kernel.actor import Permission
from kernel.native import NativeView
from kernel.rest import actor_of
from provenance import wiring as provenance_wiring
from provenance.domain.transparency import Transparency, permitted
from provenance.usecases.preview_publication import preview_publication


class TransparencyIn(serializers.Serializer[Any]):
    """Where statements shall be recorded."""

    transparency = serializers.ChoiceField(choices=[(one.value, one.value) for one in Transparency])


class ProjectTransparency(NativeView):
    """Answers at `/api/v1/projects/{organization}/{project}/transparency`."""

    def get(self, request: Request, organization: str, project: str) -> Response:
        """Show what was chosen, and what can be."""
        return Response(_document(readable_project(request, organization, project)))

    def put(self, request: Request, organization: str, project: str) -> Response:
        """Choose."""
        actor = actor_of(request)
        found = visible_project(actor=actor, organization=organization, project=project)
        actor.require(Permission.OWN, project=found.pk)
        asked = TransparencyIn(data=request.data)
        asked.is_valid(raise_exception=True)
        changed = choose_transparency(
            actor=actor,
            project=found,
            transparency=Transparency(asked.validated_data["transparency"]),
            offered=provenance_wiring.offered_transparencies(),
            now=timezone.now(),
        )
        return Response(_document(changed))


class BuildTransparency(NativeView):
    """Answers at `/api/v1/builds/{build}/transparency`."""

    def get(self, request: Request, build: UUID) -> Response:
        """Show what a public log would have of its statements, whatever the project's choice."""
        actor = actor_of(request)
        found = visible_build(actor=actor, build=build)
        require_read(actor, project=found.project_id, is_public=found.project.is_public)
        disclosure = provenance_wiring.disclosure()
        statements = (
            preview_publication(
                build=found.pk,
                disclosure=disclosure,
                base_url=settings.PUBLIC_URL,
                now=timezone.now(),
            )
            if disclosure is not None
            else []
        )
        document: BuildTransparencyDocument = {
            "build": build_url(found),
            **_document(found.project),
            "statements": statements,
        }
        return Response(document)


def _document(project: Project) -> TransparencyDocument:
    allowed = permitted(Transparency(project.transparency), is_public=project.is_public)
    return {
        "project": str(project),
        "is_public": project.is_public,
        "transparency": allowed.value,
        "becomes_public": allowed is Transparency.PUBLIC_LOG,
        "offered": sorted(provenance_wiring.offered_transparencies()),
    }
