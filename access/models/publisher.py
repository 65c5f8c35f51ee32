"""Trusted publishers: the CI identities that may upload to a project."""

import uuid

from django.db import models

from access.domain.publishers import PublisherIdentity
from access.models.issuer import Issuer


class TrustedPublisher(models.Model):
    """All four of issuer, repository id, owner id and workflow path are always required."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    project = models.ForeignKey("artifacts.Project", on_delete=models.PROTECT)
    issuer = models.ForeignKey(Issuer, on_delete=models.PROTECT)
    repository_id = models.CharField(max_length=100)
    owner_id = models.CharField(max_length=100)
    workflow_path = models.CharField(max_length=500)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)

    class Meta:
        db_table = "trusted_publisher"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "issuer", "repository_id", "owner_id", "workflow_path"],
                name="one_publisher_per_identity",
            ),
            models.CheckConstraint(
                condition=~models.Q(repository_id="")
                & ~models.Q(owner_id="")
                & ~models.Q(workflow_path=""),
                name="publisher_claims_are_given",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.repository_id}:{self.workflow_path}"

    @property
    def identity(self) -> PublisherIdentity:
        """The claims that a token has to agree with."""
        return PublisherIdentity(
            issuer=self.issuer.url,
            repository_id=self.repository_id,
            owner_id=self.owner_id,
            workflow_path=self.workflow_path,
        )
