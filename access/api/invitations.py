"""Invitations: made, listed, taken back, accepted. No mail is sent: the answer has the secret."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.members import ROLES, visible_place
from access.domain.roles import Role
from access.models import Invitation
from access.queries import invitations_by, place_of
from access.usecases.accept_invitation import NewAccount, accept_invitation
from access.usecases.invite_member import invite_member
from access.usecases.revoke_invitation import revoke_invitation
from kernel.actor import Unauthenticated
from kernel.native import NativeView
from kernel.pages import PAGE_ROWS, cursor_of, next_link
from kernel.rest import MalformedRequest, actor_of


class InvitationIn(serializers.Serializer[Any]):
    """An invitation to an organization, or with `project` to one of its projects."""

    organization = serializers.CharField(max_length=200)
    project = serializers.CharField(max_length=200, required=False, allow_null=True, default=None)
    invitee = serializers.CharField(max_length=1000)  # the use case names the real limit
    role = serializers.ChoiceField(choices=ROLES)


class InvitationOut(serializers.Serializer[Invitation]):
    """An invitation as those who decide about members see it: never the secret."""

    id = serializers.UUIDField()
    place = serializers.SerializerMethodField()
    invitee = serializers.CharField()
    role = serializers.CharField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    expires_at = serializers.DateTimeField()
    accepted_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)

    def get_place(self, invitation: Invitation) -> str:
        """`organization`, or `organization/project`."""
        return place_of(invitation).name


class AcceptIn(serializers.Serializer[Any]):
    """An invitation's secret; with a name and a password for who has no account yet."""

    secret = serializers.CharField(max_length=200, trim_whitespace=False)
    username = serializers.CharField(max_length=150, required=False)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """An account needs both, and an existing one neither."""
        if ("username" in attrs) is not ("password" in attrs):
            raise serializers.ValidationError({"username": ["give username and password"]})
        return attrs


class Invitations(NativeView):
    """Answers at `/api/v1/invitations`."""

    def get(self, request: Request) -> Response:
        """Show a page of those to what the actor decides about, newest first."""
        actor = actor_of(request)
        if actor.is_anonymous:
            raise Unauthenticated
        found = invitations_by(actor)
        behind = cursor_of(request)
        if behind is not None:
            found = found.filter(created_at__lt=_moment(behind))
        rows = list(found[: PAGE_ROWS + 1])
        shown = rows[:PAGE_ROWS]
        response = Response({"invitations": [InvitationOut(one).data for one in shown]})
        if len(rows) > PAGE_ROWS:
            url = f"{settings.PUBLIC_URL}/api/v1/invitations"
            response["Link"] = next_link(request, url, shown[-1].created_at.isoformat())
        return response

    def post(self, request: Request) -> Response:
        """Make one; the secret is shown in this answer and nowhere else."""
        asked = InvitationIn(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        invited = invite_member(
            place=visible_place(request, given["organization"], given["project"]),
            invitee=given["invitee"],
            role=Role(given["role"]),
            actor=actor_of(request),
            now=timezone.now(),
        )
        answer = {
            **InvitationOut(invited.invitation).data,
            "secret": invited.secret,
            "accept_at": f"{settings.PUBLIC_URL}/api/v1/invitations/accept",
        }
        return Response(answer, status=201, headers={"Cache-Control": "no-store"})


class OneInvitation(NativeView):
    """Answers at `/api/v1/invitations/{id}`."""

    def delete(self, request: Request, invitation: UUID) -> Response:
        """Take it back."""
        revoked = revoke_invitation(
            invitation=invitation, actor=actor_of(request), now=timezone.now()
        )
        return Response(InvitationOut(revoked).data)


class Accept(NativeView):
    """Answers at `/api/v1/invitations/accept`."""

    def post(self, request: Request) -> Response:
        """Accept, as the person who asks, or with a new account."""
        asked = AcceptIn(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        account = NewAccount(given["username"], given["password"]) if "username" in given else None
        membership = accept_invitation(
            secret=given["secret"], actor=actor_of(request), account=account, now=timezone.now()
        )
        answer = {
            "place": place_of(membership).name,
            "member": membership.person.get_username(),
            "role": membership.role,
        }
        return Response(answer, headers={"Cache-Control": "no-store"})


def _moment(text: str) -> Any:  # noqa: ANN401 - whatever DRF's field reads: a datetime
    try:
        return serializers.DateTimeField().to_internal_value(text)
    except serializers.ValidationError:
        raise MalformedRequest(parameter="cursor", found=text[:200]) from None
