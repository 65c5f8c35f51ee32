"""One act on many artifacts: what was asked, of which artifacts, how far it is, what came of each.

All but the run is append-only, by grant: what was shown is what is done.
"""

import uuid

from django.db import models

from artifacts.domain.bulk import Act, BulkRunState, Outcome
from artifacts.models.project import Project


class BulkAction(models.Model):
    """An act, and the artifacts that it was asked of, as they were found at a moment.

    `selection` is as it was written (`domain/bulk`). `expected` counts the artifacts by what would
    come of them then; bytes are of those to which it would be done, each artifact's for itself.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    # The index below begins with it.
    project = models.ForeignKey(Project, on_delete=models.PROTECT, db_index=False)
    act = models.CharField(max_length=10, choices=[(one.value, one.value) for one in Act])
    selection = models.JSONField()
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=200)
    expected = models.JSONField()
    artifacts = models.PositiveBigIntegerField()
    logical_bytes = models.PositiveBigIntegerField()

    class Meta:
        db_table = "bulk_action"
        indexes = [
            models.Index(fields=["project", "-asked_at", "id"], name="bulk_action_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.act} of {self.artifacts} in {self.project_id}"


class BulkActionItem(models.Model):
    """One artifact that was asked of, and what would come of it then.

    Without foreign keys: it outlives the artifact.
    """

    id = models.BigAutoField(primary_key=True)
    # Not checked row by row: the statement that writes them is its action's own.
    bulk_action = models.ForeignKey(
        BulkAction, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    artifact_id = models.UUIDField()
    path = models.CharField(max_length=1024, db_collation="C")
    ref = models.CharField(max_length=500, blank=True)
    size_bytes = models.PositiveBigIntegerField()
    expected = models.CharField(max_length=20, choices=[(one.value, one.value) for one in Outcome])

    class Meta:
        db_table = "bulk_action_item"
        indexes = [
            models.Index(fields=["bulk_action", "id"], name="bulk_action_items"),
            # Items are written in this order, so that it costs little.
            models.Index(fields=["bulk_action", "artifact_id"], name="bulk_action_item_of"),
        ]

    def __str__(self) -> str:
        return f"{self.artifact_id} of {self.bulk_action_id}"


class BulkActionOutcome(models.Model):
    """What came of one item; a row of its own, so that nobody can write over it."""

    item = models.OneToOneField(
        BulkActionItem,
        on_delete=models.PROTECT,
        primary_key=True,
        db_constraint=False,
        related_name="result",
    )
    outcome = models.CharField(max_length=20, choices=[(one.value, one.value) for one in Outcome])
    at = models.DateTimeField()

    class Meta:
        db_table = "bulk_action_outcome"

    def __str__(self) -> str:
        return f"{self.outcome} for {self.item_id}"


class BulkRun(models.Model):
    """An action being done, batch by batch; `item` is the last one that was looked at.

    `outcomes` counts by outcome what was looked at; `done_bytes` are of what was done.
    """

    bulk_action = models.OneToOneField(
        BulkAction, on_delete=models.PROTECT, primary_key=True, related_name="run"
    )
    state = models.CharField(
        max_length=10,
        choices=[(one.value, one.value) for one in BulkRunState],
        default=BulkRunState.RUNNING,
    )
    reason = models.CharField(max_length=500)
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=200)
    cancel_asked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    item = models.PositiveBigIntegerField(default=0)
    outcomes = models.JSONField(default=dict)
    done_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        db_table = "bulk_run"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[one.value for one in BulkRunState]),
                name="bulk_run_state_is_known",
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="bulk_run_has_reason"),
        ]
        indexes = [
            models.Index(
                fields=["started_at"],
                condition=models.Q(state=BulkRunState.RUNNING),
                name="bulk_run_under_way",
            ),
        ]

    def __str__(self) -> str:
        return f"run of {self.bulk_action_id}"

    @property
    def looked_at(self) -> int:
        """How many of the items are behind it."""
        return sum(self.outcomes.values())
