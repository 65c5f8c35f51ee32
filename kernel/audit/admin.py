"""A window for staff: the audit trail."""

from django.contrib import admin
from django.db.models import Q

from kernel.audit.models import AuditCheckpoint, AuditRecord, AuditSeal
from kernel.staff import shown
from kernel.staff.marks import column
from kernel.staff.pages import ReadOnly


@admin.register(AuditRecord)
class AuditAdmin(ReadOnly):
    """Who did what to what, newest first, and what changed."""

    newest_first = ("-id",)
    list_display = ("moment", "actor", "action", "target", "changed", "address")
    search_help_text = (
        "an actor, an action, a target or an address, whole, as it stands in the list"
    )
    fields = (
        "id",
        "moment",
        "actor",
        "action",
        "target",
        "changed",
        "told",
        "address",
        "request_id",
    )
    readonly_fields = fields

    def look_for(self, term: str) -> Q | None:
        return Q(actor=term) | Q(action=term) | Q(target=term) | Q(address=term)

    @column("at")
    def moment(self, one: AuditRecord) -> str:
        return shown.moment(one.at)

    @column("what changed")
    def changed(self, one: AuditRecord) -> str:
        before, after = one.facts.get("before"), one.facts.get("after")
        before = before if isinstance(before, dict) else {}
        after = after if isinstance(after, dict) else {}
        changes = [
            f"{name}: {before.get(name, shown.NOTHING)} → {after.get(name, shown.NOTHING)}"
            for name in {**before, **after}
            if before.get(name) != after.get(name)
        ]
        return "; ".join(changes)[:300] or shown.NOTHING

    @column("facts")
    def told(self, one: AuditRecord) -> str:
        return shown.document(one.facts)


@admin.register(AuditSeal)
class SealAdmin(ReadOnly):
    """The chain over the audit trail, newest first."""

    newest_first = ("-number",)
    list_display = ("number", "sealed_at", "row_count", "sha256")
    exclude = ("rows",)


@admin.register(AuditCheckpoint)
class CheckpointAdmin(ReadOnly):
    """What the attestor signed of the chain, newest first."""

    newest_first = ("-number",)
    list_display = ("number", "made_at", "seal", "seal_sha256")
    exclude = ("bundle",)
