"""Events that wait for the relay, and the heartbeats of what runs by the clock."""

from django.db import models


class OutboxEvent(models.Model):
    """An event, written with the fact that it tells; deleted once the broker has it."""

    id = models.BigAutoField(primary_key=True)
    name = models.CharField(max_length=100)
    payload = models.JSONField()
    request_id = models.CharField(max_length=100, blank=True)
    emitted_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, db_index=True)

    class Meta:
        db_table = "outbox_event"

    def __str__(self) -> str:
        return f"{self.name} #{self.pk}"


class Heartbeat(models.Model):
    """When something that must run by the clock last ran."""

    name = models.CharField(max_length=50, primary_key=True)
    beat_at = models.DateTimeField()

    class Meta:
        db_table = "heartbeat"

    def __str__(self) -> str:
        return self.name
