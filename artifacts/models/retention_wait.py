"""Scheduled retention plans that nobody applies before a person has looked at them."""

from django.db import models

from artifacts.models.retention_plan import RetentionPlan


class RetentionWait(models.Model):
    """A plan that went beyond the limits of scheduled runs. Append-only, by grant.

    `exceeded` says which limits, as `domain/retention_limits` does. Applying the plan approves it.
    """

    plan = models.OneToOneField(
        RetentionPlan, on_delete=models.PROTECT, primary_key=True, related_name="wait"
    )
    since = models.DateTimeField()
    exceeded = models.JSONField()

    class Meta:
        db_table = "retention_wait"

    def __str__(self) -> str:
        return f"{self.plan_id} waits"
