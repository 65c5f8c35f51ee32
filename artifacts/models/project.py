"""Projects hold builds and artifacts, and are public or private."""

import uuid

from django.db import models

from artifacts.models.organization import Organization
from provenance.domain.scope import Scope


class Project(models.Model):
    """What uploads go to. A private project does not exist for those who may not read it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    slug = models.CharField(max_length=64)
    is_public = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "project"
        constraints = [
            models.UniqueConstraint(fields=["organization", "slug"], name="one_project_per_slug"),
        ]

    def __str__(self) -> str:
        return f"{self.organization.slug}/{self.slug}"

    @property
    def scope(self) -> Scope:
        """Whom this project's claims belong to."""
        return Scope(self.organization_id, self.id)
