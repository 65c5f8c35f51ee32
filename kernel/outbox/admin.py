"""A window for staff: events that wait for the relay, and what runs by the clock."""

from django.contrib import admin

from kernel.outbox.models import Heartbeat, OutboxEvent
from kernel.staff import shown
from kernel.staff.marks import column
from kernel.staff.pages import ReadOnly


@admin.register(OutboxEvent)
class EventAdmin(ReadOnly):
    """Events that no broker has yet; they are deleted once it has them."""

    newest_first = ("-id",)
    list_display = ("id", "name", "emitted_at", "leased_until", "request_id")
    fields = ("id", "name", "emitted_at", "leased_until", "request_id", "told")
    readonly_fields = fields

    @column("payload")
    def told(self, one: OutboxEvent) -> str:
        return shown.document(one.payload)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnly):
    """When each thing that runs by the clock last ran."""

    newest_first = ("-beat_at", "pk")
    list_display = ("name", "beat_at")
