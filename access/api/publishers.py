"""Trusted publishers of a project: list and add."""

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.api.serializers import PublisherIn, PublisherOut
from access.queries import publishers_of
from access.usecases.add_publisher import NewPublisher, add_publisher
from artifacts.queries import visible_project
from kernel.actor import Permission
from kernel.native import SmallJSONParser
from kernel.rest import actor_of


class Publishers(APIView):
    """Answers at `/api/v1/projects/{organization}/{project}/publishers`."""

    parser_classes = (SmallJSONParser,)

    def get(self, request: Request, organization: str, project: str) -> Response:
        actor = actor_of(request)
        found = visible_project(actor=actor, organization=organization, project=project)
        actor.require(Permission.ADMINISTER, project=found.id)
        return Response({"publishers": [PublisherOut(one).data for one in publishers_of(found)]})

    def post(self, request: Request, organization: str, project: str) -> Response:
        actor = actor_of(request)
        found = visible_project(actor=actor, organization=organization, project=project)
        actor.require(Permission.ADMINISTER, project=found.id)
        asked = PublisherIn(data=request.data)
        asked.is_valid(raise_exception=True)
        given = dict(asked.validated_data)
        events = tuple(given.pop("events"))
        added = add_publisher(
            project=found,
            publisher=NewPublisher(given.pop("issuer"), **given, events=events),
            actor=actor,
            now=timezone.now(),
        )
        return Response(PublisherOut(added).data, status=201)
