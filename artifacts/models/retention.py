"""Retention policies, versioned; the newest version of each level holds."""

from typing import Final
from uuid import UUID

from django.db import models

from artifacts.domain.retention import Level

# What the instance's own policy is attached to.
INSTANCE: Final = UUID(int=0)


class StoredRetentionPolicy(models.Model):
    """One version of what an instance, an organization or a project decided. Append-only, by grant.

    `scope_id` is the organization's or project's id, or INSTANCE. Without foreign keys: what was
    removed by a version names it for ever.
    """

    id = models.BigAutoField(primary_key=True)
    level = models.PositiveSmallIntegerField()
    scope_id = models.UUIDField()
    version = models.PositiveIntegerField()
    document = models.JSONField()
    set_at = models.DateTimeField()
    set_by = models.CharField(max_length=200)
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        db_table = "retention_policy"
        constraints = [
            models.UniqueConstraint(
                fields=["scope_id", "version"], name="one_retention_policy_per_version"
            ),
            models.CheckConstraint(
                condition=models.Q(version__gt=0), name="retention_version_from_1"
            ),
            models.CheckConstraint(
                condition=models.Q(level=Level.INSTANCE, scope_id=INSTANCE)
                | models.Q(level__in=[Level.ORGANIZATION, Level.PROJECT])
                & ~models.Q(scope_id=INSTANCE),
                name="retention_level_has_scope",
            ),
        ]

    def __str__(self) -> str:
        return f"retention policy {self.version} of {self.scope_id}"
