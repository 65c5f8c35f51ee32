"""What people and systems outside said they use: it is kept as long as they say so."""

import uuid

from django.db import models

from artifacts.domain.declarations import Kind
from artifacts.models.project import Project


class DeclaredUse(models.Model):
    """One declaration about bytes of a project, as it was said last (`domain/declarations`).

    `identity` is the digest of what makes it the same declaration when it is said again.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    # The constraint below begins with it.
    project = models.ForeignKey(Project, on_delete=models.PROTECT, db_index=False)
    sha256 = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Kind])
    identity = models.CharField(max_length=64)
    document = models.JSONField()
    protects = models.BooleanField()
    ends_at = models.DateTimeField(null=True)
    declared_at = models.DateTimeField()
    declared_by = models.CharField(max_length=200)

    class Meta:
        db_table = "declared_use"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "kind", "identity"], name="one_declaration_of_a_use"
            ),
        ]
        indexes = [
            models.Index(fields=["project", "sha256"], name="declared_of_digest"),
            models.Index(fields=["project", "-declared_at", "id"], name="declared_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.sha256[:12]}"
