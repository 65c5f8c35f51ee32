"""Trusted publishers of a project: list, add, show, remove, distrust."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils import timezone
from rest_framework.response import Response
from rest_framework.views import APIView

from access.api.serializers import PublisherIn, PublisherOut
from access.queries import publisher_of, publishers_of
from access.usecases.add_publisher import add_publisher
from access.usecases.distrust_publisher import distrust_publisher
from access.usecases.remove_publisher import remove_publisher
from artifacts.queries import visible_project
from kernel.actor import Permission
from kernel.native import SmallJSONParser
from kernel.rest import actor_of

if TYPE_CHECKING:
    from uuid import UUID

    from rest_framework.request import Request

    from artifacts.models import Project
    from kernel.actor import Actor


def _administered(request: Request, organization: str, project: str) -> tuple[Actor, Project]:
    """Before the body is looked at: a stranger learns nothing from how it is refused."""
    actor = actor_of(request)
    found = visible_project(actor=actor, organization=organization, project=project)
    actor.require(Permission.ADMINISTER, project=found.id)
    return actor, found


class Publishers(APIView):
    """Answers at `/api/v1/projects/{organization}/{project}/publishers`."""

    parser_classes = (SmallJSONParser,)

    def get(self, request: Request, organization: str, project: str) -> Response:
        _, found = _administered(request, organization, project)
        return Response({"publishers": [PublisherOut(one).data for one in publishers_of(found)]})

    def post(self, request: Request, organization: str, project: str) -> Response:
        actor, found = _administered(request, organization, project)
        asked = PublisherIn(data=request.data)
        asked.is_valid(raise_exception=True)
        added = add_publisher(
            project=found, publisher=asked.new_publisher(), actor=actor, now=timezone.now()
        )
        return Response(PublisherOut(added).data, status=201)


class OnePublisher(APIView):
    """Answers at `/api/v1/projects/{organization}/{project}/publishers/{id}`."""

    def get(
        self, request: Request, organization: str, project: str, publisher_id: UUID
    ) -> Response:
        _, found = _administered(request, organization, project)
        return Response(PublisherOut(publisher_of(found, publisher_id)).data)

    def delete(
        self, request: Request, organization: str, project: str, publisher_id: UUID
    ) -> Response:
        actor, found = _administered(request, organization, project)
        remove_publisher(project=found, publisher=publisher_id, actor=actor, now=timezone.now())
        return Response(status=204)


class DistrustedPublisher(APIView):
    """Answers at `/api/v1/projects/{organization}/{project}/publishers/{id}/distrust`."""

    parser_classes = (SmallJSONParser,)

    def post(
        self, request: Request, organization: str, project: str, publisher_id: UUID
    ) -> Response:
        actor, found = _administered(request, organization, project)
        removed = distrust_publisher(
            project=found, publisher=publisher_id, actor=actor, now=timezone.now()
        )
        return Response({"removed_publishers": removed})
