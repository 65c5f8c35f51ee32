"""A window for staff: the audit trail."""

from django.contrib import admin

from kernel.audit.models import AuditRecord, AuditSeal
from kernel.staff import ReadOnly


@admin.register(AuditRecord)
class AuditAdmin(ReadOnly):
    """Who did what to what, newest first."""

    list_display = ("at", "actor", "action", "target", "request_id")
    list_filter = ("action",)
    ordering = ("-id",)
    search_fields = ("actor", "target", "request_id")


@admin.register(AuditSeal)
class SealAdmin(ReadOnly):
    """The chain over the audit trail, newest first."""

    list_display = ("number", "sealed_at", "row_count", "sha256")
    ordering = ("-number",)
    exclude = ("rows",)
