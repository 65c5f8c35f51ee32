"""Windows for staff: tokens without their values, issuers and trusted publishers."""

from django.contrib import admin

from access.models import Issuer, Token, TrustedPublisher
from kernel.staff import ReadOnly


@admin.register(Token)
class TokenAdmin(ReadOnly):
    """What was granted to whom, until when; never the secret, nor its digest."""

    list_display = ("name", "kind", "project", "created_by", "expires_at", "last_used_at")
    list_filter = ("kind",)
    list_select_related = ("project__organization",)
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
