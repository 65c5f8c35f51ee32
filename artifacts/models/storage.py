"""What there was each day: measured in the background, so that no page has to count."""

from django.db import models


class StorageDay(models.Model):
    """What the store, an organization or a project had when it was last measured on this day.

    `subject` is its id, or INSTANCE; `parent` what it is a part of. Physical bytes are of the
    subject's distinct digests. `ages` maps a place in `domain.storage.AGES` to files, logical and
    physical bytes; `refs` (of a project) has the largest, and `largest` the ids of the largest
    blobs with the number of files that have them. The last two are kept of the newest day only.
    """

    id = models.BigAutoField(primary_key=True)
    subject = models.UUIDField()
    parent = models.UUIDField(null=True)
    day = models.DateField()
    measured_at = models.DateTimeField()
    files = models.BigIntegerField()
    logical_bytes = models.BigIntegerField()
    physical_bytes = models.BigIntegerField()
    pending_free_bytes = models.BigIntegerField()
    ages = models.JSONField()
    refs = models.JSONField()
    largest = models.JSONField()

    class Meta:
        db_table = "storage_day"
        constraints = [
            models.UniqueConstraint(fields=["subject", "day"], name="one_storage_per_day"),
        ]
        indexes = [
            models.Index(fields=["parent", "day", "-physical_bytes"], name="storage_of_parts"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} on {self.day}"
