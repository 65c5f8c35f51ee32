"""Members of an organization and of a project: listed, given another role, removed."""

from typing import Any

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.domain.places import Place
from access.domain.roles import Role
from access.models import Membership
from access.queries import members_of, organization_place, project_place
from access.usecases.change_role import change_role
from access.usecases.remove_member import remove_member
from artifacts.queries import visible_organization, visible_project
from kernel.native import NativeView
from kernel.pages import PAGE_ROWS, cursor_of, next_link
from kernel.rest import actor_of

ROLES = [(role.value, role.value) for role in Role]


class RoleIn(serializers.Serializer[Any]):
    """A role to give."""

    role = serializers.ChoiceField(choices=ROLES)


class MemberOut(serializers.Serializer[Membership]):
    """A member of a place."""

    member = serializers.CharField(source="person.username")
    role = serializers.CharField()
    since = serializers.DateTimeField()
    given_by = serializers.CharField()


class Members(NativeView):
    """Answers at `/api/v1/organizations/{organization}/members`, and the same of a project."""

    def get(self, request: Request, organization: str, project: str | None = None) -> Response:
        """Show a page of those who have a role in this very place, by name."""
        place = visible_place(request, organization, project)
        place.require_member(actor_of(request))
        found = members_of(place)
        behind = cursor_of(request)
        if behind is not None:
            found = found.filter(person__username__gt=behind)
        rows = list(found[: PAGE_ROWS + 1])
        shown = rows[:PAGE_ROWS]
        response = Response({"members": [MemberOut(one).data for one in shown]})
        if len(rows) > PAGE_ROWS:
            url = settings.PUBLIC_URL + request.path
            response["Link"] = next_link(request, url, shown[-1].person.get_username())
        return response


class OneMember(NativeView):
    """Answers at `…/members/{member}`."""

    def patch(
        self, request: Request, organization: str, member: str, project: str | None = None
    ) -> Response:
        """Give them another role."""
        place = visible_place(request, organization, project)
        # Before the body is looked at: a stranger learns nothing from how it is refused.
        place.require_manager(actor_of(request))
        asked = RoleIn(data=request.data)
        asked.is_valid(raise_exception=True)
        changed = change_role(
            place=place,
            member=member,
            role=Role(asked.validated_data["role"]),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(MemberOut(changed).data)

    def delete(
        self, request: Request, organization: str, member: str, project: str | None = None
    ) -> Response:
        """Take their role away; everybody may leave."""
        place = visible_place(request, organization, project)
        remove_member(place=place, member=member, actor=actor_of(request), now=timezone.now())
        return Response(status=204)


def visible_place(request: Request, organization: str, project: str | None) -> Place:
    """The organization or the project, if it exists for who asks.

    Raises:
        OrganizationNotFound, ProjectNotFound: it does not.
    """
    actor = actor_of(request)
    if project is None:
        return organization_place(visible_organization(actor=actor, organization=organization))
    return project_place(visible_project(actor=actor, organization=organization, project=project))
