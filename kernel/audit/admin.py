"""A window for staff: the audit trail."""

from django.contrib import admin

from kernel.audit.models import AuditRecord
from kernel.staff import ReadOnly


@admin.register(AuditRecord)
class AuditAdmin(ReadOnly):
    """Who did what to what, newest first."""

    list_display = ("at", "actor", "action", "target", "request_id")
    list_filter = ("action",)
    ordering = ("-id",)
    search_fields = ("actor", "target", "request_id")
