"""What the bucket holds because legal holds of the store cover it."""

from django.db import models

from artifacts.ports import ObjectVersion, Pin


class BucketHold(models.Model):
    """An object that the store lets its bucket hold, or is about to, or is about to release.

    `held_at` is when the bucket was seen to hold it; null while that is not certain. `is_foreign`:
    somebody else had held it before, so that the store does not release it.
    """

    id = models.BigAutoField(primary_key=True)
    key = models.CharField(max_length=300, db_collation="C")
    version_id = models.CharField(max_length=1024, blank=True)
    is_foreign = models.BooleanField()
    asked_at = models.DateTimeField()
    held_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "bucket_hold"
        constraints = [
            models.UniqueConstraint(fields=["key", "version_id"], name="one_bucket_hold_each"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def version(self) -> ObjectVersion:
        """The same for a bucket."""
        return ObjectVersion(self.key, Pin(version_id=self.version_id))
