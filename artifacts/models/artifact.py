"""Artifacts: named files of a build."""

import uuid

from django.db import models

from artifacts.models.blob import Blob
from artifacts.models.build import Build
from artifacts.models.contribution import Contribution
from artifacts.models.project import Project


class Artifact(models.Model):
    """A path in a build, given to one digest only, for ever: a retry finds it.

    A build of a single file has nobody who could find it again, so that its path is claimed within
    its `origin` (a job, or the project's releases). In a build that was opened first, the build is
    enough, and `origin` is null.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    project = models.ForeignKey(Project, on_delete=models.PROTECT)
    build = models.ForeignKey(Build, on_delete=models.PROTECT, related_name="artifacts")
    contribution = models.ForeignKey(Contribution, on_delete=models.PROTECT)
    origin = models.CharField(max_length=500, null=True)
    path = models.CharField(max_length=1024)
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT)
    stored_at = models.DateTimeField()

    class Meta:
        db_table = "artifact"
        constraints = [
            models.UniqueConstraint(fields=["build", "path"], name="one_artifact_per_path"),
            models.UniqueConstraint(
                fields=["project", "origin", "path"], name="one_artifact_per_origin_path"
            ),
        ]
        indexes = [models.Index(fields=["project", "path"], name="artifact_at_path")]

    def __str__(self) -> str:
        return self.path
