"""Issuers of identity tokens, for administrators of the instance."""

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access import queries, wiring
from access.api.serializers import IssuerChange, IssuerIn, IssuerOut
from access.usecases.add_issuer import add_issuer
from access.usecases.change_issuer import change_issuer
from access.usecases.disable_issuer import disable_issuer
from access.usecases.enable_issuer import enable_issuer
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


class OneIssuer(APIView):
    """Answers at `/api/v1/issuers/{name}`."""

    parser_classes = (SmallJSONParser,)

    def get(self, request: Request, name: str) -> Response:
        actor_of(request).require(Permission.ADMINISTER, project=None)
        return Response(IssuerOut(queries.named_issuer(name)).data)

    def patch(self, request: Request, name: str) -> Response:
        actor = actor_of(request)
        actor.require(Permission.ADMINISTER, project=None)
        asked = IssuerChange(data=request.data)
        asked.is_valid(raise_exception=True)
        changed = change_issuer(
            name=name,
            limits=asked.limits(),
            rules=wiring.instance_rules(),
            actor=actor,
            now=timezone.now(),
        )
        return Response(IssuerOut(changed).data)


class DisabledIssuer(APIView):
    """Answers at `/api/v1/issuers/{name}/disable`."""

    parser_classes = (SmallJSONParser,)

    def post(self, request: Request, name: str) -> Response:
        disabled = disable_issuer(name=name, actor=actor_of(request), now=timezone.now())
        return Response(IssuerOut(disabled).data)


class EnabledIssuer(APIView):
    """Answers at `/api/v1/issuers/{name}/enable`."""

    parser_classes = (SmallJSONParser,)

    def post(self, request: Request, name: str) -> Response:
        enabled = enable_issuer(name=name, actor=actor_of(request), now=timezone.now())
        return Response(IssuerOut(enabled).data)
