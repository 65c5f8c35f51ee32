"""Members and invitations, as the API reference describes them."""

from typing import Final

from rest_framework import serializers

from access.api.invitations import AcceptIn, InvitationIn, InvitationOut
from access.api.members import MemberOut, RoleIn
from access.errors import (
    AccountNotAllowed,
    InvitationNotAllowed,
    InvitationNotFound,
    LastOwner,
    MemberNotFound,
    RoleAboveOwn,
    RoleNotAllowed,
)
from artifacts.errors import OrganizationNotFound, ProjectNotFound
from kernel.actor import PermissionMissing, PersonNeeded, Unauthenticated
from kernel.errors import Refusal
from kernel.reference import BODY, CURSOR, Answer, Asker, Body, Operation, Operations, Reader
from kernel.rest import MalformedRequest
from kernel.shapes import ID_EXAMPLE, STORE, ProjectName


class InvitedOut(InvitationOut):
    """An invitation in the one answer that shows its secret."""

    secret = serializers.CharField()
    accept_at = serializers.CharField()


_MEMBER: Final = {
    "member": "carol",
    "role": "reader",
    "since": "2026-11-21T08:00:00Z",
    "given_by": "dora",
}
_INVITATION: Final = {
    "id": ID_EXAMPLE,
    "place": "acme/widget",
    "invitee": "carol",
    "role": "reader",
    "created_at": "2026-11-21T08:00:00Z",
    "created_by": "dora",
    "expires_at": "2026-11-28T08:00:00Z",
    "accepted_at": None,
    "revoked_at": None,
}
_NEED_A_RIGHT: Final = (Unauthenticated, PermissionMissing)


def _of_place(place: str, what: str, absent: type[Refusal]) -> Operations:
    """The members of an organization, and in the same words those of a project."""
    where = (absent, *_NEED_A_RIGHT)
    return {
        f"GET {place}/members": Operation(
            id=f"list_members_of_{what}",
            reader=Reader.ADMINISTRATOR,
            summary=f"Who has a role in this very {what}, by name",
            parameters=(CURSOR,),
            answers=(
                Answer(
                    200,
                    "One page of at most 100.",
                    {"members": [MemberOut]},
                    {"members": [_MEMBER]},
                    may_have=("Link",),
                ),
            ),
            refusals=(*where, MalformedRequest),
        ),
        f"PATCH {place}/members/{{member}}": Operation(
            id=f"change_role_in_{what}",
            reader=Reader.ADMINISTRATOR,
            summary=f"Give a member of the {what} another role",
            body=Body(RoleIn, {"role": "reader"}),
            answers=(Answer(200, "The member as they are now.", MemberOut, _MEMBER),),
            refusals=(*BODY, *where, LastOwner, MemberNotFound, RoleAboveOwn, RoleNotAllowed),
        ),
        f"DELETE {place}/members/{{member}}": Operation(
            id=f"remove_member_of_{what}",
            reader=Reader.ADMINISTRATOR,
            summary=f"Take a member's role in the {what} away",
            text="Everybody may leave.",
            answers=(Answer(204, "They have none."),),
            refusals=(*where, LastOwner, MemberNotFound, RoleAboveOwn),
        ),
    }


OPERATIONS: Final[Operations] = {
    **_of_place("/api/v1/organizations/{organization}", "organization", OrganizationNotFound),
    **_of_place("/api/v1/projects/{organization}/{project}", "project", ProjectNotFound),
    "GET /api/v1/invitations": Operation(
        id="list_invitations",
        reader=Reader.ADMINISTRATOR,
        summary="Invitations to what the actor decides about, newest first",
        parameters=(CURSOR,),
        answers=(
            Answer(
                200,
                "One page of at most 100.",
                {"invitations": [InvitationOut]},
                {"invitations": [_INVITATION]},
                may_have=("Link",),
            ),
        ),
        refusals=(MalformedRequest, Unauthenticated),
    ),
    "POST /api/v1/invitations": Operation(
        id="invite_member",
        reader=Reader.ADMINISTRATOR,
        summary="Invite somebody to an organization, or with `project` to one of its projects",
        text="No mail is sent: hand the secret over yourself.",
        body=Body(
            InvitationIn,
            {"organization": "acme", "project": "widget", "invitee": "carol", "role": "reader"},
        ),
        answers=(
            Answer(
                201,
                "Made. The secret is shown here and nowhere else.",
                InvitedOut,
                {
                    **_INVITATION,
                    "secret": "…",
                    "accept_at": f"{STORE}/api/v1/invitations/accept",
                },
                headers=("Cache-Control",),
            ),
        ),
        refusals=(
            *BODY,
            *_NEED_A_RIGHT,
            OrganizationNotFound,
            ProjectNotFound,
            InvitationNotAllowed,
            RoleAboveOwn,
            RoleNotAllowed,
        ),
    ),
    "POST /api/v1/invitations/accept": Operation(
        id="accept_invitation",
        reader=Reader.ADMINISTRATOR,
        summary="Accept an invitation",
        text="As the person who asks; or with `username` and `password` as a new account.",
        asker=Asker.READER,
        body=Body(AcceptIn, {"secret": "…"}),
        answers=(
            Answer(
                200,
                "The role that was given.",
                {"place": ProjectName, "member": str, "role": str},
                {"place": "acme/widget", "member": "carol", "role": "reader"},
                headers=("Cache-Control",),
            ),
        ),
        refusals=(*BODY, PersonNeeded, AccountNotAllowed, InvitationNotFound),
    ),
    "DELETE /api/v1/invitations/{invitation}": Operation(
        id="revoke_invitation",
        reader=Reader.ADMINISTRATOR,
        summary="Take an invitation back",
        answers=(
            Answer(
                200,
                "It is revoked.",
                InvitationOut,
                {**_INVITATION, "revoked_at": "2026-11-21T09:00:00Z"},
            ),
        ),
        refusals=(InvitationNotFound,),
    ),
}
