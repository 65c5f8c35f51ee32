"""Artifacts: named files of a build."""

import uuid

from django.db import models

from artifacts.models.blob import Blob
from artifacts.models.build import Build
from artifacts.models.contribution import Contribution
from artifacts.models.project import Project


class NamedFile(models.Model):
    """What an artifact's row says, wherever it stands: in sight, or in the trash.

    `ref` and `ref_is_protected` repeat what was witnessed of the job that brought the file, so
    that the latest of a branch or tag is one look into an index; empty where nothing was.
    `asked_life_days` repeats what was asked of the build.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    # The indexes below begin with these three, so that Django's own would only cost writes.
    project = models.ForeignKey(Project, on_delete=models.PROTECT, db_index=False)
    build = models.ForeignKey(
        Build, on_delete=models.PROTECT, related_name="%(class)ss", db_index=False
    )
    contribution = models.ForeignKey(Contribution, on_delete=models.PROTECT)
    origin = models.CharField(max_length=500, null=True)
    # By bytes: one order on every server, and an index finds what begins with a prefix.
    path = models.CharField(max_length=1024, db_collation="C")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, db_index=False)
    ref = models.CharField(max_length=500, blank=True)
    ref_is_protected = models.BooleanField(default=False)
    asked_life_days = models.PositiveIntegerField(null=True)
    stored_at = models.DateTimeField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.path


class Artifact(NamedFile):
    """A path in a build, given to one digest only, for ever: a retry finds it.

    A build of a single file has nobody who could find it again, so that its path is claimed within
    its `origin` (a job, or the project's releases). In a build that was opened first, the build is
    enough, and `origin` is null.
    """

    class Meta:
        db_table = "artifact"
        constraints = [
            models.UniqueConstraint(fields=["build", "path"], name="one_artifact_per_path"),
            models.UniqueConstraint(
                fields=["project", "origin", "path"], name="one_artifact_per_origin_path"
            ),
        ]
        indexes = [
            models.Index(fields=["project", "path", "-stored_at", "id"], name="artifact_by_path"),
            models.Index(
                fields=["project", "ref", "path", "-stored_at", "id"], name="artifact_latest_of_ref"
            ),
            models.Index(fields=["blob", "project", "-stored_at"], name="artifact_by_blob"),
        ]
