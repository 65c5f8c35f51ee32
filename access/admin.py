"""Windows for staff: tokens without their values, issuers and trusted publishers."""

from django.contrib import admin

from access.models import Invitation, Issuer, Membership, Token, TrustedPublisher
from kernel.staff import ReadOnly


@admin.register(Token)
class TokenAdmin(ReadOnly):
    """What was granted to whom, until when; never the secret, nor its digest."""

    list_display = ("name", "kind", "project", "created_by", "expires_at", "last_used_at")
    list_filter = ("kind",)
    list_select_related = ("project__organization",)
    ordering = ("-created_at",)
    exclude = ("secret_sha256",)


@admin.register(Membership)
class MembershipAdmin(ReadOnly):
    """Who has which role where."""

    list_display = ("person", "organization", "project", "role", "since", "given_by")
    list_select_related = ("person", "organization", "project__organization")
    ordering = ("-since",)


@admin.register(Invitation)
class InvitationAdmin(ReadOnly):
    """Which roles wait for somebody; never the secret, nor its digest."""

    list_display = ("invitee", "organization", "project", "role", "expires_at", "accepted_at")
    list_select_related = ("organization", "project__organization")
    ordering = ("-created_at",)
    exclude = ("secret_sha256",)


@admin.register(Issuer)
class IssuerAdmin(ReadOnly):
    """Whose identity tokens are exchanged."""

    list_display = ("name", "url", "platform", "is_development", "disabled_at")


@admin.register(TrustedPublisher)
class PublisherAdmin(ReadOnly):
    """Which CI identities may upload to which project."""

    list_display = (
        "project",
        "issuer",
        "repository",
        "repository_id",
        "workflow_path",
        "pending_until",
        "last_used_at",
    )
    list_select_related = ("project__organization", "issuer")
