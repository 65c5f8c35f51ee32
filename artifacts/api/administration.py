"""Organizations and projects: listed, created, and made public or private."""

from typing import Any

from django.db.models import Q
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import organization_document, project_document
from artifacts.api.links import organization_url, project_url, root
from artifacts.domain.names import is_slug
from artifacts.queries import organizations_seen_by, projects_seen_by, visible_organization
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from kernel.native import NativeView
from kernel.pages import PAGE_ROWS, cursor_of, next_link
from kernel.rest import actor_of


class OrganizationIn(serializers.Serializer[Any]):
    """An organization to create."""

    organization = serializers.CharField()


class ProjectIn(serializers.Serializer[Any]):
    """A project to create. Nothing is public unless it is said."""

    organization = serializers.CharField()
    project = serializers.CharField()
    is_public = serializers.BooleanField(default=False)


class Organizations(NativeView):
    """All organizations."""

    def get(self, request: Request) -> Response:
        """Show a page of those that exist for the actor, by name."""
        found = organizations_seen_by(actor_of(request))
        behind = cursor_of(request)
        if behind is not None:
            found = found.filter(slug__gt=behind)
        rows = list(found[: PAGE_ROWS + 1])
        shown = rows[:PAGE_ROWS]
        response = Response({"organizations": [organization_document(one) for one in shown]})
        if len(rows) > PAGE_ROWS:
            response["Link"] = next_link(request, f"{root()}/organizations", shown[-1].slug)
        return response

    def post(self, request: Request) -> Response:
        """Create one."""
        asked = OrganizationIn(data=request.data)
        asked.is_valid(raise_exception=True)
        created = create_organization(
            actor=actor_of(request),
            slug=asked.validated_data["organization"],
            now=timezone.now(),
        )
        return Response(
            organization_document(created),
            status=201,
            headers={"Location": organization_url(created)},
        )


class OrganizationDetail(NativeView):
    """One organization."""

    def get(self, request: Request, organization: str) -> Response:
        """Show it."""
        found = visible_organization(actor=actor_of(request), organization=organization)
        return Response(organization_document(found))


class Projects(NativeView):
    """All projects."""

    def get(self, request: Request) -> Response:
        """Show a page of those that exist for the actor, by name; `organization` narrows them."""
        found = projects_seen_by(actor_of(request))
        if "organization" in request.query_params:
            named = request.query_params["organization"]
            found = found.filter(organization__slug=named) if is_slug(named) else found.none()
        behind = cursor_of(request)
        if behind is not None:
            organization, _, project = behind.partition("/")
            later = Q(organization__slug=organization, slug__gt=project)
            found = found.filter(Q(organization__slug__gt=organization) | later)
        rows = list(found[: PAGE_ROWS + 1])
        shown = rows[:PAGE_ROWS]
        response = Response({"projects": [project_document(one) for one in shown]})
        if len(rows) > PAGE_ROWS:
            response["Link"] = next_link(request, f"{root()}/projects", str(shown[-1]))
        return response

    def post(self, request: Request) -> Response:
        """Create one."""
        asked = ProjectIn(data=request.data)
        asked.is_valid(raise_exception=True)
        created = create_project(
            actor=actor_of(request),
            organization=asked.validated_data["organization"],
            slug=asked.validated_data["project"],
            is_public=asked.validated_data["is_public"],
            now=timezone.now(),
        )
        return Response(
            project_document(created), status=201, headers={"Location": project_url(created)}
        )
