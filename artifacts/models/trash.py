"""The trash: artifacts that were removed and can be restored for a while."""

from uuid import UUID

from django.db import models

from artifacts.models.artifact import NamedFile
from artifacts.models.retention_plan import RetentionPlan


class TrashedArtifact(NamedFile):
    """An artifact's whole row, out of everybody's way, and who or what removed it.

    It keeps bytes and name as the artifact did. Behind `restorable_until` its removal is to be
    attested (`removal`), and with that it becomes a tombstone; without, it stays.
    Removed by a rule it has `expired_at`, the rule and the plan; by a person, a reason.
    """

    removed_at = models.DateTimeField()
    removed_by = models.CharField(max_length=200)
    restorable_until = models.DateTimeField()
    reason = models.CharField(max_length=500, blank=True)
    expired_at = models.DateTimeField(null=True)
    plan = models.ForeignKey(RetentionPlan, on_delete=models.PROTECT, null=True, db_index=False)
    rule = models.CharField(max_length=64, blank=True)
    level = models.PositiveSmallIntegerField(null=True)
    scope_id = models.UUIDField(null=True)
    version = models.PositiveIntegerField(null=True)
    removal = models.ForeignKey(
        "provenance.AttestationRequest", on_delete=models.PROTECT, null=True, db_index=False
    )

    class Meta:
        db_table = "trashed_artifact"
        constraints = [
            models.UniqueConstraint(fields=["build", "path"], name="one_trashed_per_path"),
            models.UniqueConstraint(
                fields=["project", "origin", "path"], name="one_trashed_per_origin_path"
            ),
            models.CheckConstraint(
                condition=~models.Q(reason="") | ~models.Q(rule=""), name="trashed_has_cause"
            ),
        ]
        indexes = [
            models.Index(
                fields=["restorable_until", "id"],
                condition=models.Q(removal=None),
                name="trashed_by_end",
            ),
            models.Index(
                fields=["removal"],
                condition=models.Q(removal__isnull=False),
                name="trashed_by_removal",
            ),
            models.Index(fields=["project", "-removed_at", "id"], name="trashed_newest"),
            models.Index(fields=["blob"], name="trashed_by_blob"),
        ]

    @property
    def artifact_id(self) -> UUID:
        """The id that it had, and has again when it is restored."""
        return self.pk

    @property
    def sha256(self) -> str:
        """The digest of its bytes, with `blob` loaded."""
        return self.blob.sha256
