"""Projects hold builds and artifacts, and are public or private."""

import uuid

from django.db import models

from artifacts.models.organization import Organization
from provenance.domain.scope import Scope
from provenance.domain.transparency import DEFAULT, Transparency


class Project(models.Model):
    """What uploads go to. A private project does not exist for those who may not read it.

    `transparency` is what its owner chose; what may be done is `domain.transparency.permitted`.
    Its quota is beside its organization's, and read as that is.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT)
    slug = models.CharField(max_length=64)
    is_public = models.BooleanField(default=False)
    transparency = models.CharField(
        max_length=14, choices=[(one.value, one.value) for one in Transparency], default=DEFAULT
    )
    created_at = models.DateTimeField()
    quota = models.JSONField(null=True)
    over_soft_since = models.DateTimeField(null=True)

    class Meta:
        db_table = "project"
        constraints = [
            models.UniqueConstraint(fields=["organization", "slug"], name="one_project_per_slug"),
            models.CheckConstraint(
                condition=models.Q(is_public=True)
                | ~models.Q(transparency=Transparency.PUBLIC_LOG.value),
                name="no_private_project_in_a_public_log",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization.slug}/{self.slug}"

    @property
    def scope(self) -> Scope:
        """Whom this project's claims belong to."""
        return Scope(self.organization_id, self.id)
