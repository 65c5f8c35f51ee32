"""The person who asks: who they are, their roles, their own tokens; and logging in."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.serializers import DEFAULT_LIFE_DAYS, who_am_i
from access.domain.roles import TokenScope
from access.models import Token
from access.queries import memberships_of, personal_tokens, place_of
from access.usecases.create_personal_token import create_personal_token
from access.usecases.create_token import CreatedToken
from access.usecases.log_in import log_in
from access.usecases.revoke_personal_token import require_person, revoke_personal_token
from kernel.native import NativeView
from kernel.rest import actor_of, who_tries

_SECONDS_A_DAY = 86_400


class LoginIn(serializers.Serializer[Any]):
    """Name and password."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class PersonalTokenIn(serializers.Serializer[Any]):
    """A personal token to make."""

    name = serializers.CharField(max_length=200)
    scope = serializers.ChoiceField(choices=[(one.value, one.value) for one in TokenScope])
    expires_in = serializers.IntegerField(
        min_value=1, max_value=2**31, default=DEFAULT_LIFE_DAYS * _SECONDS_A_DAY
    )


class PersonalTokenOut(serializers.Serializer[Token]):
    """A person's own token; never the secret."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class Login(NativeView):
    """Answers at `/api/v1/login`."""

    authentication_classes = ()

    def post(self, request: Request) -> Response:
        """Give a personal token for twelve hours."""
        asked = LoginIn(data=request.data)
        asked.is_valid(raise_exception=True)
        made = log_in(
            username=asked.validated_data["username"],
            password=asked.validated_data["password"],
            address=who_tries(request),
            now=timezone.now(),
        )
        return _shown_once(made)


class Me(NativeView):
    """Answers at `/api/v1/me`."""

    def get(self, request: Request) -> Response:
        """Show the person and their roles."""
        actor = actor_of(request)
        person = require_person(actor=actor)
        roles = [
            {"place": place_of(one).name, "role": one.role, "since": one.since}
            for one in memberships_of(person)
        ]
        answer = {**who_am_i(actor), "memberships": roles}
        return Response(answer, headers={"Cache-Control": "no-store"})


class MyTokens(NativeView):
    """Answers at `/api/v1/me/tokens`."""

    def get(self, request: Request) -> Response:
        """List them, newest first."""
        person = require_person(actor=actor_of(request))
        return Response({"tokens": [PersonalTokenOut(one).data for one in personal_tokens(person)]})

    def post(self, request: Request) -> Response:
        """Make one; the secret is shown in this answer and nowhere else."""
        actor = actor_of(request)
        actor.require_whole_person()
        asked = PersonalTokenIn(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        made = create_personal_token(
            name=given["name"],
            scope=TokenScope(given["scope"]),
            life=timedelta(seconds=given["expires_in"]),
            actor=actor,
            now=timezone.now(),
        )
        return _shown_once(made)


class OneOfMyTokens(NativeView):
    """Answers at `/api/v1/me/tokens/{id}`."""

    def delete(self, request: Request, token_id: UUID) -> Response:
        """Revoke it."""
        token = revoke_personal_token(
            token_id=token_id, actor=actor_of(request), now=timezone.now()
        )
        return Response(PersonalTokenOut(token).data)


def _shown_once(made: CreatedToken) -> Response:
    answer = {**PersonalTokenOut(made.token).data, "token": made.secret}
    return Response(answer, status=201, headers={"Cache-Control": "no-store"})
