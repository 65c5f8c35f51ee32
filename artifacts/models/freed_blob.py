"""Freed blobs: bytes that were removed, and that the store did not have when it was asked again."""

from django.db import models

from artifacts.models.retention_plan import RetentionPlan


class FreedBlob(models.Model):
    """What remains of a blob's row. Append-only, by grant; each blob and key once.

    `plan` is the one that took away the last file with these bytes; null where a person did, or
    where no file ever had them.
    """

    blob_id = models.BigIntegerField(primary_key=True)
    sha256 = models.CharField(max_length=64)
    key = models.CharField(max_length=300, unique=True, db_collation="C")
    size_bytes = models.PositiveBigIntegerField()
    freed_at = models.DateTimeField()
    plan = models.ForeignKey(
        RetentionPlan, on_delete=models.PROTECT, null=True, related_name="freed"
    )

    class Meta:
        db_table = "freed_blob"

    def __str__(self) -> str:
        return self.key
