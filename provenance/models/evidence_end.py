"""Ends of evidence: whose bundles went, by which rule, and what was saved before."""

import uuid

from django.db import models


class EvidenceEnd(models.Model):
    """That bundles of a project's builds were ended, all of whose files had been gone so long.

    Written by the owner of the tables alone: the runtime role can only read it. `manifest_sha256`
    is of the list that was saved beside the bundles; empty where an operator wanted no copy.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization_id = models.UUIDField()
    project_id = models.UUIDField()
    ended_at = models.DateTimeField()
    ended_by = models.CharField(max_length=200)
    days = models.PositiveIntegerField()
    builds = models.PositiveIntegerField()
    bundles = models.PositiveIntegerField()
    bundle_bytes = models.PositiveBigIntegerField()
    manifest_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        db_table = "evidence_end"

    def __str__(self) -> str:
        return f"end of {self.bundles} bundles at {self.ended_at:%Y-%m-%dT%H:%M:%SZ}"
