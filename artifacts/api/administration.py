"""Creating organizations and projects."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import project_document, rfc3339
from artifacts.api.links import project_url
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from kernel.native import NativeView
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

    def post(self, request: Request) -> Response:
        """Create one."""
        asked = OrganizationIn(data=request.data)
        asked.is_valid(raise_exception=True)
        created = create_organization(
            actor=actor_of(request),
            slug=asked.validated_data["organization"],
            now=timezone.now(),
        )
        document = {
            "id": str(created.pk),
            "organization": created.slug,
            "created_at": rfc3339(created.created_at),
        }
        return Response(document, status=201)


class Projects(NativeView):
    """All projects."""

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
