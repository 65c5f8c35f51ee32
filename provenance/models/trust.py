"""Trust roots and the trust map, versioned, and the one row that names the current versions."""

from django.db import models


class StoredTrustRoot(models.Model):
    """One version of the Sigstore TrustedRoot of this store's bundles, as exact bytes."""

    version = models.PositiveIntegerField(primary_key=True)
    document = models.BinaryField()
    published_at = models.DateTimeField()

    class Meta:
        db_table = "trust_root"
        verbose_name = "trust root"

    def __str__(self) -> str:
        return f"trust root {self.version}"


class StoredTrustMap(models.Model):
    """One version of which builder id may claim which level, and of each issuer's platform."""

    version = models.PositiveIntegerField(primary_key=True)
    levels = models.JSONField()
    platforms = models.JSONField()
    set_at = models.DateTimeField()
    set_by = models.CharField(max_length=200)

    class Meta:
        db_table = "trust_map"
        verbose_name = "trust map"

    def __str__(self) -> str:
        return f"trust map {self.version}"


class TrustState(models.Model):
    """The current versions and the revocation epoch, in one row that each decision reads."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    trust_root_version = models.PositiveIntegerField(default=0)
    trust_map_version = models.PositiveIntegerField(default=0)
    revocation_epoch = models.PositiveIntegerField(default=0)

    class Meta:
        db_table = "trust_state"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_trust_state"),
        ]

    def __str__(self) -> str:
        return f"root {self.trust_root_version}, map {self.trust_map_version}"
