"""The audit trail: append-only by the runtime role's grants, without foreign keys."""

from django.db import models


class AuditRecord(models.Model):
    """Who did what to what, when. Names stay after their rows are gone."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=100)
    target = models.CharField(max_length=500)
    facts = models.JSONField(default=dict)
    request_id = models.CharField(max_length=100, blank=True)

    class Meta:
        db_table = "audit_record"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ} {self.actor} {self.action} {self.target}"
