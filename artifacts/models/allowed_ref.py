"""Allowed refs: whose builds may be a project's latest although no platform protects them."""

from django.db import models

from artifacts.models.project import Project


class AllowedRef(models.Model):
    """A branch or tag, or all whose names begin so (`*` at the end)."""

    id = models.BigAutoField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.PROTECT)
    pattern = models.CharField(max_length=500)
    allowed_at = models.DateTimeField()

    class Meta:
        db_table = "allowed_ref"
        constraints = [
            models.UniqueConstraint(fields=["project", "pattern"], name="one_row_per_allowed_ref"),
        ]

    def __str__(self) -> str:
        return self.pattern
