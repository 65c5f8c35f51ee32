"""Direct uploads: bytes that go from a client to the bucket, and are measured there."""

import uuid

from django.db import models

from artifacts.domain.parts import Plan
from artifacts.domain.transfer import PENDING, UploadState
from artifacts.models.artifact import Artifact
from artifacts.models.build import Build
from artifacts.models.contribution import Contribution
from artifacts.ports import Begun, Pin


class Upload(models.Model):
    """A file on its way to a build. The declared digest is only a claim until it was measured.

    `etag` and `version_id` pin the object that was completed. `lease` is the worker that measures
    it now; `touched_at` is when its client last asked for something.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    build = models.ForeignKey(Build, on_delete=models.PROTECT, related_name="uploads")
    contribution = models.ForeignKey(Contribution, on_delete=models.PROTECT)
    path = models.CharField(max_length=1024)
    declared_sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    part_bytes = models.PositiveBigIntegerField()
    key = models.CharField(max_length=300, unique=True)
    upload_id = models.TextField()
    started_by = models.CharField(max_length=200)
    state = models.CharField(max_length=10, default=UploadState.OPEN)
    started_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True)
    etag = models.CharField(max_length=200, blank=True)
    version_id = models.CharField(max_length=1024, blank=True)
    measured_bytes = models.PositiveBigIntegerField(default=0)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.JSONField(null=True)
    refused = models.JSONField(null=True)
    artifact = models.ForeignKey(Artifact, on_delete=models.SET_NULL, null=True)

    class Meta:
        db_table = "upload"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in UploadState]),
                name="upload_state_is_known",
            ),
            models.UniqueConstraint(
                fields=["build", "path"],
                condition=models.Q(state__in=[state.value for state in PENDING]),
                name="one_pending_upload_per_path",
            ),
        ]
        indexes = [
            models.Index(fields=["-started_at", "id"], name="upload_newest"),
            models.Index(
                fields=["-started_at", "id"],
                condition=models.Q(state__in=[state.value for state in PENDING]),
                name="upload_newest_pending",
            ),
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(state=UploadState.MEASURING),
                name="upload_to_measure",
            ),
            models.Index(
                fields=["touched_at"],
                condition=models.Q(state=UploadState.OPEN),
                name="upload_left_open",
            ),
        ]

    def __str__(self) -> str:
        return f"upload {self.pk}"

    @property
    def begun(self) -> Begun:
        """Its name in the store."""
        return Begun(self.key, self.upload_id)

    @property
    def plan(self) -> Plan:
        """How it is cut."""
        return Plan(self.size_bytes, self.part_bytes)

    @property
    def pin(self) -> Pin:
        """What tells the completed object from others under its key."""
        return Pin(self.etag, self.version_id)
