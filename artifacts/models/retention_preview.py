"""Previews: what a retention policy would change for the artifacts that are there, if it held."""

import uuid

from django.db import models

from artifacts.models.retention_plan import RuleCount


class RetentionPreview(models.Model):
    """A plan as if a document were the policy; it cannot be applied. Append-only, by grant.

    `version` is of the policy that the document would replace, and 0 where there is none;
    `policies` is how many versions there were in reach, and `newest_policy` the newest of them. The
    first four counts are a plan's by the document. `ended_physical_bytes` are of blobs that such
    a plan would free and one by the policies that hold would not, `kept_…` the other way round.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    level = models.PositiveSmallIntegerField()
    scope_id = models.UUIDField()
    document = models.JSONField()
    version = models.PositiveIntegerField()
    policies = models.PositiveBigIntegerField()
    newest_policy = models.PositiveBigIntegerField()
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200)
    looked_at = models.PositiveBigIntegerField()
    artifacts = models.PositiveBigIntegerField()
    logical_bytes = models.PositiveBigIntegerField()
    physical_bytes = models.PositiveBigIntegerField()
    ended_physical_bytes = models.PositiveBigIntegerField()
    kept_physical_bytes = models.PositiveBigIntegerField()

    class Meta:
        db_table = "retention_preview"

    def __str__(self) -> str:
        return f"retention preview {self.pk}"


class RetentionPreviewRule(RuleCount):
    """How many artifacts a rule has an effect on: the rule that ends them, or else keeps them.

    `outcome` is the effect (domain/retention_tally). Of the document's own rules `version` is the
    one that it would get. The rows of a preview make up all that was looked at.
    """

    preview = models.ForeignKey(RetentionPreview, on_delete=models.PROTECT, related_name="rules")

    class Meta:
        db_table = "retention_preview_rule"
        constraints = [
            models.UniqueConstraint(fields=["preview", "number"], name="one_preview_rule"),
        ]


class RetentionPreviewItem(models.Model):
    """One artifact that would newly end or be kept, with the rule (`number` of the preview's).

    Without foreign keys: it outlives the artifact. The moments are by the policies that hold and
    by the document; null is never. `physical_bytes` stand with one artifact of each blob.
    """

    id = models.BigAutoField(primary_key=True)
    # Not checked row by row: the statement that writes them is its preview's own.
    preview = models.ForeignKey(
        RetentionPreview, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    artifact_id = models.UUIDField()
    project_id = models.UUIDField()
    path = models.CharField(max_length=1024, db_collation="C")
    ref = models.CharField(max_length=500, blank=True)
    size_bytes = models.PositiveBigIntegerField()
    physical_bytes = models.PositiveBigIntegerField()
    effect = models.CharField(max_length=6)
    held_ends_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)
    rule = models.PositiveIntegerField()

    class Meta:
        db_table = "retention_preview_item"
        indexes = [
            models.Index(fields=["preview", "id"], name="retention_preview_items"),
            # As of a plan.
            models.Index(
                fields=["preview", "project_id", "artifact_id"], name="retention_preview_of"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.effect} {self.artifact_id}"
