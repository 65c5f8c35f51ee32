"""Verification policies of projects, versioned; the newest version holds."""

from django.db import models


class StoredPolicy(models.Model):
    """One version of a project's verification policy; a project without one has the default."""

    id = models.BigAutoField(primary_key=True)
    organization_id = models.UUIDField()
    project_id = models.UUIDField()
    version = models.PositiveIntegerField()
    document = models.JSONField()
    set_at = models.DateTimeField()
    set_by = models.CharField(max_length=200)

    class Meta:
        db_table = "verification_policy"
        verbose_name = "verification policy"
        verbose_name_plural = "verification policies"
        constraints = [
            models.UniqueConstraint(
                fields=["project_id", "version"], name="one_policy_per_version"
            ),
            models.CheckConstraint(condition=models.Q(version__gt=0), name="policy_version_from_1"),
        ]

    def __str__(self) -> str:
        return f"policy {self.version} of {self.project_id}"
