"""Decisions that were made, keyed by everything they depend on."""

from django.db import models


class StoredDecision(models.Model):
    """One answer for one subject.

    `key` digests scope, digest, build, the evidence set, policy, trust map, trust root,
    revocation epoch and the rules' own version; change any of them and the row is not found.
    """

    key = models.CharField(max_length=64, primary_key=True)
    project_id = models.UUIDField()
    build_id = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    allowed = models.BooleanField()
    reason = models.CharField(max_length=100, blank=True)
    report = models.JSONField()
    decided_at = models.DateTimeField()
    holds_until = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "decision"
        verbose_name = "decision"
        indexes = [
            models.Index(fields=["-decided_at", "key"], name="decision_newest"),
            models.Index(
                fields=["-decided_at", "key"],
                condition=models.Q(allowed=False),
                name="decision_newest_denied",
            ),
        ]

    def __str__(self) -> str:
        return f"{'allow' if self.allowed else 'deny'} {self.sha256[:12]}"
