"""Blobs: immutable bytes, stored once for each digest."""

from django.db import models


class BlobState(models.TextChoices):
    """Live blobs are served; collecting ones are on their way out and count as absent."""

    LIVE = "live"
    COLLECTING = "collecting"


class Blob(models.Model):
    """Immutable bytes. The digest is unique only among live ones."""

    id = models.BigAutoField(primary_key=True)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    key = models.CharField(max_length=300)
    state = models.CharField(max_length=10, choices=BlobState, default=BlobState.LIVE)
    stored_at = models.DateTimeField()

    class Meta:
        db_table = "blob"
        constraints = [
            models.UniqueConstraint(
                fields=["sha256"],
                condition=models.Q(state=BlobState.LIVE),
                name="one_live_blob_per_digest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sha256[:12]} ({self.size_bytes} bytes)"
