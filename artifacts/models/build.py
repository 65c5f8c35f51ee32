"""Builds: the files that one CI job uploaded, or one release without CI identity."""

import uuid

from django.db import models

from artifacts.domain.lifecycle import BuildState
from artifacts.models.project import Project


class Build(models.Model):
    """Files that become visible together. `origin` is the job's key, or `release`.

    `witnessed` holds the verified facts of the job; null means that the uploader had no CI
    identity, and that the build is attested as published, not as built.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    project = models.ForeignKey(Project, on_delete=models.PROTECT)
    origin = models.CharField(max_length=500)
    witnessed = models.JSONField(null=True)
    opened_by = models.CharField(max_length=200)
    state = models.CharField(max_length=10, default=BuildState.OPEN)
    opened_at = models.DateTimeField()
    sealed_at = models.DateTimeField(null=True)
    published_at = models.DateTimeField(null=True)
    refused = models.JSONField(null=True)

    class Meta:
        db_table = "build"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in BuildState]),
                name="build_state_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(state=BuildState.PUBLISHED, published_at__isnull=False)
                | ~models.Q(state=BuildState.PUBLISHED),
                name="published_build_has_time",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-opened_at", "id"], name="build_newest_in_project"),
        ]

    def __str__(self) -> str:
        return f"build {self.pk}"
