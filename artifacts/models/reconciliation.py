"""Reconciliations: what a store holds, compared with the rows that speak of it."""

import uuid

from django.db import models

from artifacts.domain.reconciliation import Difference


class Reconciliation(models.Model):
    """One comparison of everything. Append-only, by grant: another day's is another row.

    `counts` has the exact number and bytes of each difference, however many of them have rows.
    `totals` is what was there: keys, blobs, bytes of both, and what else costs room.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    place = models.CharField(max_length=500)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    counts = models.JSONField()
    totals = models.JSONField()

    class Meta:
        db_table = "reconciliation"
        indexes = [models.Index(fields=["-started_at", "id"], name="reconciliation_newest")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%dT%H:%M:%SZ} {self.place}"


class Discrepancy(models.Model):
    """One difference that a reconciliation found; append-only like it.

    `since` is when the blob was stored, the key written, or the upload begun. `expected_bytes` is
    the row's, `found_bytes` the store's: null where there is none.
    """

    id = models.BigAutoField(primary_key=True)
    reconciliation = models.ForeignKey(
        Reconciliation, on_delete=models.PROTECT, related_name="discrepancies"
    )
    difference = models.CharField(max_length=10)
    key = models.CharField(max_length=1024)
    sha256 = models.CharField(max_length=64, blank=True)
    expected_bytes = models.PositiveBigIntegerField(null=True)
    found_bytes = models.PositiveBigIntegerField(null=True)
    since = models.DateTimeField()

    class Meta:
        db_table = "discrepancy"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(difference__in=[one.value for one in Difference]),
                name="difference_is_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.difference} {self.key}"


class StoreRepair(models.Model):
    """Somebody has seen a report and lets what it lists be repaired; one for each report.

    `looked_at` is how many differences the worker has been at. `outcomes` counts what became of
    them once it has ended; `refused` is why it could not go on for good.
    """

    reconciliation = models.OneToOneField(
        Reconciliation, on_delete=models.PROTECT, primary_key=True, related_name="repair"
    )
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=200)
    looked_at = models.PositiveBigIntegerField(default=0)
    ended_at = models.DateTimeField(null=True)
    outcomes = models.JSONField(default=dict)
    refused = models.JSONField(null=True)

    class Meta:
        db_table = "store_repair"
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=models.Q(ended_at__isnull=True),
                name="store_repair_asked",
            ),
        ]

    def __str__(self) -> str:
        return f"repair of {self.reconciliation_id}"
