"""Windows for staff: people, their roles, and tokens without their values."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from access.domain.tokens import TokenKind
from access.models import Invitation, Membership, Token, User
from access.queries import place_of
from access.usecases.remove_member import remove_member
from access.usecases.revoke_invitation import revoke_invitation
from access.usecases.revoke_token import revoke_token
from kernel.staff import shown
from kernel.staff.confirmed import Question, confirm, staff_actor
from kernel.staff.lists import ALL
from kernel.staff.marks import column, handle
from kernel.staff.pages import ReadOnly


@admin.register(User)
class UserAdmin(ReadOnly):
    """People who log in."""

    newest_first = ("-id",)
    list_display = ("username", "is_active", "is_staff", "is_superuser", "last_login")
    search_help_text = "how a name begins"
    fields = (
        *("username", "is_active", "is_staff", "is_superuser", "must_change_password"),
        *("date_joined", "last_login", "more"),
    )
    readonly_fields = fields

    def look_for(self, term: str) -> Q | None:
        return Q(username__startswith=term)

    @column("more")
    def more(self, one: User) -> str:
        return shown.several(
            shown.rows("access_membership", "memberships", person__id__exact=one.pk),
            shown.rows("access_token", "tokens", person__id__exact=one.pk, show="personal"),
        )


@admin.register(Token)
class TokenAdmin(ReadOnly):
    """What was granted to whom, until when; never the secret, nor its digest."""

    newest_first = ("-created_at", "id")
    shows: ClassVar = {
        "API": Q(kind=TokenKind.API),
        "personal": Q(kind=TokenKind.PERSONAL),
        ALL: Q(),
    }
    list_display = ("name", "kind", "project", "state", "created_by", "expires", "last_used_at")
    list_select_related = ("project__organization",)
    search_help_text = "a token's id, as `whoami` and the audit trail name it"
    fields = (
        *("id", "name", "kind", "state", "project", "person", "permissions", "publisher"),
        *("created_at", "created_by", "expires", "last_used_at", "revoked_at", "job_key", "job"),
    )
    readonly_fields = fields
    actions_detail = ("revoke",)

    def look_for(self, term: str) -> Q | None:
        key = shown.as_uuid(term)
        return None if key is None else Q(pk=key)

    @column("state", label={"valid": shown.GOOD, "revoked": shown.BAD})
    def state(self, one: Token) -> str:
        if one.revoked_at is not None:
            return "revoked"
        return "valid" if one.expires_at > timezone.now() else "expired"

    @column("expires")
    def expires(self, one: Token) -> str:
        return shown.moment(one.expires_at)

    @column("CI job")
    def job(self, one: Token) -> str:
        return shown.document(one.facts)

    @handle("Revoke", "revoke", is_grave=True)
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        token = Token.objects.select_related("project__organization").get(pk=object_id)
        question = Question(
            f"Revoke {token}",
            (
                f"1 token of {token.project or 'the whole instance'} opens nothing any more.",
                format_html("It was last used: {}.", shown.moment(token.last_used_at)),
                "This cannot be taken back. What it uploaded stays.",
            ),
            "Revoke it",
            shown.row_url("access_token", object_id),
            is_grave=True,
        )

        def do(_given: Any) -> str:  # noqa: ANN401 - there is no form
            revoke_token(token_id=token.pk, actor=staff_actor(request), now=timezone.now())
            return f"{token} is revoked."

        return confirm(self, request, question, do)


@admin.register(Membership)
class MembershipAdmin(ReadOnly):
    """Who has which role where."""

    newest_first = ("-since", "id")
    list_display = ("person", "organization", "project", "role", "since", "given_by")
    list_select_related = ("person", "organization", "project__organization")
    fields = list_display
    actions_detail = ("remove",)

    @handle("Remove", "remove", is_grave=True)
    def remove(self, request: HttpRequest, object_id: str) -> HttpResponse:
        one = self._one(object_id)
        place = place_of(one)
        question = Question(
            f"Remove {one.person} from {place.name}",
            (
                f"1 person is no {one.role} of {place.name} any more, nor are their tokens.",
                "Open invitations that they made there are taken back.",
            ),
            "Remove the member",
            shown.rows_url("access_membership"),
            is_grave=True,
        )

        def do(_given: Any) -> str:  # noqa: ANN401 - there is no form
            name = one.person.get_username()
            remove_member(place=place, member=name, actor=staff_actor(request), now=timezone.now())
            return f"{name} has no role in {place.name} any more."

        return confirm(self, request, question, do)

    def _one(self, key: str) -> Membership:
        found = Membership.objects.select_related("person", "organization", "project__organization")
        return found.get(pk=key)


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    """Which roles wait for somebody; never the secret, nor its digest."""

    newest_first = ("-created_at", "id")
    list_display = ("invitee", "organization", "project", "role", "expires_at", "accepted_at")
    list_select_related = ("organization", "project__organization")
    exclude = ("secret_sha256",)
    actions_detail = ("take_back",)

    @handle("Take back", "take-back")
    def take_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        one = Invitation.objects.select_related("organization", "project__organization").get(
            pk=object_id
        )
        question = Question(
            f"Take back: {one}",
            ("Nobody can accept this 1 invitation any more.", "An accepted one stays accepted."),
            "Take it back",
            shown.row_url("access_invitation", object_id),
        )

        def do(_given: Any) -> str:  # noqa: ANN401 - there is no form
            left = revoke_invitation(
                invitation=UUID(object_id), actor=staff_actor(request), now=timezone.now()
            )
            return "It was accepted before." if left.accepted_at else "It is taken back."

        return confirm(self, request, question, do)
