"""Issuers of identity tokens: list and add, for administrators of the instance."""

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access import queries, wiring
from access.api.serializers import IssuerIn, IssuerOut
from access.usecases.add_issuer import add_issuer
from kernel.actor import Permission
from kernel.native import SmallJSONParser
from kernel.rest import actor_of


class Issuers(APIView):
    """Answers at `/api/v1/issuers`."""

    parser_classes = (SmallJSONParser,)

    def get(self, request: Request) -> Response:
        actor_of(request).require(Permission.ADMINISTER, project=None)
        return Response({"issuers": [IssuerOut(one).data for one in queries.issuers()]})

    def post(self, request: Request) -> Response:
        actor = actor_of(request)
        actor.require(Permission.ADMINISTER, project=None)
        asked = IssuerIn(data=request.data)
        asked.is_valid(raise_exception=True)
        added = add_issuer(
            issuer=asked.new_issuer(),
            rules=wiring.instance_rules(),
            actor=actor,
            now=timezone.now(),
        )
        return Response(IssuerOut(added).data, status=201)
