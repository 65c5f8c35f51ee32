"""What was found when a store was tried."""

from django.db import models


class StoreProbe(models.Model):
    """The last result for one place (endpoint and bucket). Without one, nothing is assumed."""

    place = models.CharField(max_length=500, primary_key=True)
    findings = models.JSONField()
    missing_for_direct = models.JSONField()
    probed_at = models.DateTimeField()

    class Meta:
        db_table = "store_probe"

    def __str__(self) -> str:
        return self.place
