"""API tokens: create (the only time that the secret is shown), list, revoke; and who am I."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.api.projects import project_named
from access.api.serializers import TokenIn, TokenOut, who_am_i
from access.queries import administered_projects, administered_tokens
from access.usecases.create_token import create_token
from access.usecases.revoke_token import revoke_token
from kernel.actor import Permission, Unauthenticated
from kernel.native import SmallJSONParser
from kernel.rest import actor_of


class Tokens(APIView):
    """Answers at `/api/v1/tokens`."""

    parser_classes = (SmallJSONParser,)

    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        if not administered_projects(actor):
            actor.require(Permission.ADMINISTER, project=None)
        tokens = administered_tokens(actor=actor)
        return Response({"tokens": [TokenOut(token).data for token in tokens]})

    def post(self, request: Request) -> Response:
        asked = TokenIn(data=request.data)
        asked.is_valid(raise_exception=True)
        actor, given = actor_of(request), asked.validated_data
        created = create_token(
            name=given["name"],
            project=project_named(given["project"], actor) if given["project"] else None,
            permissions=[Permission(name) for name in given["permissions"]],
            life=timedelta(seconds=given["expires_in"]),
            actor=actor,
            now=timezone.now(),
        )
        answer = {**TokenOut(created.token).data, "token": created.secret}
        return Response(answer, status=201, headers={"Cache-Control": "no-store"})


class OneToken(APIView):
    """Answers at `/api/v1/tokens/{id}`."""

    def delete(self, request: Request, token_id: UUID) -> Response:
        token = revoke_token(token_id=token_id, actor=actor_of(request), now=timezone.now())
        return Response(TokenOut(token).data)


class WhoAmI(APIView):
    """Answers at `/api/v1/whoami`."""

    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        if actor.is_anonymous:
            raise Unauthenticated
        return Response(who_am_i(actor), headers={"Cache-Control": "no-store"})
