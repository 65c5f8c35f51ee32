"""Blobs: immutable bytes, stored once for each digest."""

from django.db import models

from artifacts.ports import ObjectVersion, Pin, StoredBytes
from kernel.digest import Sha256


class BlobState(models.TextChoices):
    """Live blobs are served; collecting ones are on their way out and count as absent."""

    LIVE = "live"
    COLLECTING = "collecting"


class Blob(models.Model):
    """Immutable bytes. The digest is unique only among live ones, the key among all.

    `etag` and `version_id` pin the bytes that were measured, in a bucket; empty in a directory.
    `unreferenced_at` is when the collector first saw that no artifact has them, and `damaged_at`
    when they were found not to be the measured ones any more; whole bytes end that. `stuck_at` is
    when the store first kept bytes that it had been told to remove.
    """

    id = models.BigAutoField(primary_key=True)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    # By bytes, as stores list their keys: the two are compared in one pass.
    key = models.CharField(max_length=300, unique=True, db_collation="C")
    etag = models.CharField(max_length=200, blank=True)
    version_id = models.CharField(max_length=1024, blank=True)
    state = models.CharField(max_length=10, choices=BlobState, default=BlobState.LIVE)
    stored_at = models.DateTimeField()
    unreferenced_at = models.DateTimeField(null=True)
    damaged_at = models.DateTimeField(null=True)
    stuck_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "blob"
        constraints = [
            models.UniqueConstraint(
                fields=["sha256"],
                condition=models.Q(state=BlobState.LIVE),
                name="one_live_blob_per_digest",
            ),
        ]
        indexes = [
            models.Index(
                fields=["unreferenced_at"],
                condition=models.Q(unreferenced_at__isnull=False),
                name="blob_unreferenced",
            ),
            models.Index(
                fields=["key"],
                condition=models.Q(state=BlobState.COLLECTING),
                name="blob_collecting",
            ),
            models.Index(
                fields=["sha256"],
                condition=models.Q(damaged_at__isnull=False),
                name="blob_damaged",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.size_bytes} bytes)"

    @property
    def pin(self) -> Pin:
        """What tells the measured bytes from others under the key."""
        return Pin(self.etag, self.version_id)

    @property
    def stored(self) -> StoredBytes:
        """The same for a store."""
        return StoredBytes(Sha256(self.sha256), self.size_bytes, self.key, self.pin)

    @property
    def version(self) -> ObjectVersion:
        """The same for a bucket's holds."""
        return ObjectVersion(self.key, self.pin)
