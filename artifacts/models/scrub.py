"""Scrubbing: how far the stored bytes have been measured again."""

from typing import Final

from django.db import models

THE_ONE: Final = 1


class Scrub(models.Model):
    """The one row: everything up to blob `position` was measured in this round.

    `lease` is the worker that reads now; until `rests_until` nobody does, so that the rate is kept.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=THE_ONE)
    position = models.BigIntegerField(default=0)
    blobs = models.PositiveBigIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField(default=0)
    round_started_at = models.DateTimeField(null=True)
    last_round_ended_at = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    rests_until = models.DateTimeField(null=True)

    class Meta:
        db_table = "scrub"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=THE_ONE), name="one_scrub"),
        ]

    def __str__(self) -> str:
        return f"up to blob {self.position}"
