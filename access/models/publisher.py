"""Trusted publishers: the CI identities that may upload to a project."""

import uuid
from dataclasses import fields
from typing import Final

from django.db import models

from access.domain.publishers import PublisherIdentity
from access.models.issuer import Issuer

# What a token is compared with, by the names that the domain gives it too.
TERMS: Final = tuple(field.name for field in fields(PublisherIdentity) if field.name != "issuer")


class TrustedPublisher(models.Model):
    """All four of issuer, repository id, owner id and workflow path are always required.

    Of a generic issuer, which proves none of them, the subject is. Added by its repository's name
    it is pending: until `pending_until` the first exchange records both ids, at `pinned_at`, and
    the name stays as what the repository was called then.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    project = models.ForeignKey("artifacts.Project", on_delete=models.PROTECT)
    issuer = models.ForeignKey(Issuer, on_delete=models.PROTECT)
    repository_id = models.CharField(max_length=100, blank=True)
    owner_id = models.CharField(max_length=100, blank=True)
    workflow_path = models.CharField(max_length=500, blank=True)
    subject = models.CharField(max_length=500, blank=True)
    reusable_workflow = models.CharField(max_length=500, blank=True)
    ref = models.CharField(max_length=500, blank=True)
    environment = models.CharField(max_length=500, blank=True)
    requires_protected_ref = models.BooleanField(default=False)
    events = models.JSONField(default=list)
    repository = models.CharField(max_length=500, blank=True)
    pending_until = models.DateTimeField(null=True)
    pinned_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)

    class Meta:
        db_table = "trusted_publisher"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "issuer", *TERMS],
                name="one_publisher_per_identity",
            ),
            models.CheckConstraint(
                condition=(
                    ~models.Q(repository_id="")
                    & ~models.Q(owner_id="")
                    & ~models.Q(workflow_path="")
                    & models.Q(subject="")
                )
                | (
                    ~models.Q(repository="")
                    & ~models.Q(workflow_path="")
                    & models.Q(repository_id="", owner_id="", subject="")
                    & models.Q(pending_until__isnull=False)
                )
                | (~models.Q(subject="") & models.Q(repository_id="", owner_id="", repository="")),
                name="publisher_claims_are_given",
            ),
        ]

    def __str__(self) -> str:
        return self.subject or f"{self.repository_id or self.repository}:{self.workflow_path}"

    @property
    def identity(self) -> PublisherIdentity:
        """The claims that a token has to agree with."""
        terms = {name: getattr(self, name) for name in TERMS}
        return PublisherIdentity(self.issuer.url, **{**terms, "events": tuple(self.events)})
