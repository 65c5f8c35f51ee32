"""The download log: who was given what, when, and on which decision; also who was refused."""

import uuid

from django.db import models


class Download(models.Model):
    """One answer to somebody who asked for an artifact's bytes. Append-only, by grant.

    Without foreign keys: it outlives what it speaks of. `way` is how the bytes left, or why none
    did; `byte_range` is empty for the whole, and `member` unless it was one of an archive. `id` is
    drawn before the row is written: a batch written again after an unclear end adds nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    at = models.DateTimeField()
    project_id = models.UUIDField()
    build_id = models.UUIDField()
    artifact_id = models.UUIDField()
    path = models.CharField(max_length=1024)
    member = models.CharField(max_length=1024, blank=True)
    sha256 = models.CharField(max_length=64)
    actor = models.CharField(max_length=200)
    address = models.GenericIPAddressField(null=True)
    way = models.CharField(max_length=20)
    byte_range = models.CharField(max_length=70, blank=True)
    verdict = models.CharField(max_length=10)
    reason = models.CharField(max_length=100, blank=True)
    decision = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=100, blank=True)

    class Meta:
        db_table = "download"
        indexes = [
            models.Index(fields=["-at", "id"], name="download_newest_of_all"),
            models.Index(fields=["project_id", "-at", "id"], name="download_newest"),
            models.Index(fields=["project_id", "artifact_id", "-at", "id"], name="download_of"),
            models.Index(fields=["project_id", "sha256", "-at", "id"], name="download_of_bytes"),
            models.Index(fields=["project_id", "actor", "-at", "id"], name="download_by"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ} {self.actor} {self.path}"
