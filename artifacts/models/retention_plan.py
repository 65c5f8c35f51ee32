"""Retention plans, the runs that apply them, and what remains of the artifacts that went."""

import uuid

from django.db import models

from artifacts.domain.retention_tally import Tally
from artifacts.models.build import Build
from artifacts.models.project import Project


class RetentionPlan(models.Model):
    """What would go at a moment, and why. Append-only, by grant, as its rules and items are.

    `level` and `scope_id` are as of a policy: the plan is about everything below it. `frontier` is
    what it depends on, as `queries/frontier` reads it. Physical bytes are of blobs that
    nobody else has, each counted once: they are free when the trash has let go of the last copy.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    level = models.PositiveSmallIntegerField()
    scope_id = models.UUIDField()
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=200)
    frontier = models.JSONField()
    artifacts = models.PositiveBigIntegerField()
    logical_bytes = models.PositiveBigIntegerField()
    blobs = models.PositiveBigIntegerField()
    physical_bytes = models.PositiveBigIntegerField()
    looked_at = models.PositiveBigIntegerField()

    class Meta:
        db_table = "retention_plan"
        indexes = [
            models.Index(fields=["scope_id", "-made_at", "id"], name="retention_plan_newest"),
        ]

    def __str__(self) -> str:
        return f"retention plan {self.pk}"


class RuleCount(models.Model):
    """How many artifacts a rule has one outcome for; without a name, what no rule speaks of."""

    id = models.BigAutoField(primary_key=True)
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=6)
    name = models.CharField(max_length=64, blank=True)
    level = models.PositiveSmallIntegerField(null=True)
    scope_id = models.UUIDField(null=True)
    version = models.PositiveIntegerField(null=True)
    artifacts = models.PositiveBigIntegerField()
    logical_bytes = models.PositiveBigIntegerField()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.name} {self.outcome} {self.artifacts}"

    @classmethod
    def write(cls, tally: Tally, **of: models.Model) -> None:
        """What was counted for a plan or a preview, which is named."""
        cls._default_manager.bulk_create(
            cls(
                number=one.number,
                outcome=one.outcome,
                name=one.cited.name if one.cited is not None else "",
                level=one.cited.level if one.cited is not None else None,
                scope_id=one.cited.scope if one.cited is not None else None,
                version=one.cited.version if one.cited is not None else None,
                artifacts=one.artifacts,
                logical_bytes=one.logical_bytes,
                **of,
            )
            for one in tally.counted()
        )


class RetentionPlanRule(RuleCount):
    """What one rule does in a plan: how many artifacts it ends, or keeps from an end.

    `outcome` is `ends`, `keeps`, `waits` (its moment has not come) or, without a rule, `stays`. The
    rows of a plan make up all that was looked at.
    """

    plan = models.ForeignKey(RetentionPlan, on_delete=models.PROTECT, related_name="rules")

    class Meta:
        db_table = "retention_plan_rule"
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="one_rule_per_number"),
        ]


class RetentionPlanItem(models.Model):
    """One artifact that goes, with the rule that says so (`number` of the plan's rules).

    Without foreign keys: it outlives the artifact. `place` is as of the plan (domain/retention).
    """

    id = models.BigAutoField(primary_key=True)
    # Not checked row by row: the statement that writes them is its plan's own.
    plan = models.ForeignKey(
        RetentionPlan, on_delete=models.PROTECT, db_index=False, db_constraint=False
    )
    artifact_id = models.UUIDField()
    project_id = models.UUIDField()
    path = models.CharField(max_length=1024, db_collation="C")
    ref = models.CharField(max_length=500, blank=True)
    blob_id = models.BigIntegerField()
    size_bytes = models.PositiveBigIntegerField()
    physical_bytes = models.PositiveBigIntegerField()
    ends_at = models.DateTimeField()
    place = models.PositiveBigIntegerField(null=True)
    rule = models.PositiveIntegerField()

    class Meta:
        db_table = "retention_plan_item"
        indexes = [
            models.Index(fields=["plan", "id"], name="retention_plan_items"),
            # Items are written in this order, so that it costs a plan little.
            models.Index(fields=["plan", "project_id", "artifact_id"], name="retention_plan_of"),
        ]

    def __str__(self) -> str:
        return f"{self.artifact_id} of plan {self.plan_id}"


class RunState(models.TextChoices):
    """Where a run stands; all but `running` are final."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    STALE = "stale"


class RetentionRun(models.Model):
    """A plan being applied, batch by batch; `item` is the last one that was looked at.

    `spared_artifacts` had been downloaded, attested or taken away since the plan; `changed` is what
    made the whole plan stale.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    plan = models.OneToOneField(RetentionPlan, on_delete=models.PROTECT, related_name="run")
    state = models.CharField(max_length=10, choices=RunState, default=RunState.RUNNING)
    started_at = models.DateTimeField()
    started_by = models.CharField(max_length=200)
    cancel_asked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    changed = models.JSONField(default=list)
    item = models.PositiveBigIntegerField(default=0)
    removed_artifacts = models.PositiveBigIntegerField(default=0)
    removed_bytes = models.PositiveBigIntegerField(default=0)
    spared_artifacts = models.PositiveBigIntegerField(default=0)

    class Meta:
        db_table = "retention_run"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=RunState.values), name="run_state_is_known"
            ),
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state=RunState.RUNNING),
                name="one_retention_run_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return f"run of {self.plan_id}"


class Tombstone(models.Model):
    """What remains of an artifact that a run or a person took away. Append-only, by grant.

    `artifact_id` and everything of the name stays taken: a path is never given to other bytes.
    There is none without `attestation`, which says so as a signed statement; and none of a
    published build without `evidence`, a statement about the artifact as it was built or released.
    """

    artifact_id = models.UUIDField(primary_key=True)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, db_index=False)
    build = models.ForeignKey(Build, on_delete=models.PROTECT, db_index=False)
    origin = models.CharField(max_length=500, null=True)
    path = models.CharField(max_length=1024, db_collation="C")
    ref = models.CharField(max_length=500, blank=True)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    stored_at = models.DateTimeField()
    expired_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField()
    # When nobody could restore it any more, and its bytes began to wait for the collector.
    buried_at = models.DateTimeField()
    removed_by = models.CharField(max_length=200)
    reason = models.CharField(max_length=500, blank=True)
    plan = models.ForeignKey(RetentionPlan, on_delete=models.PROTECT, null=True, db_index=False)
    rule = models.CharField(max_length=64, blank=True)
    level = models.PositiveSmallIntegerField(null=True)
    scope_id = models.UUIDField(null=True)
    version = models.PositiveIntegerField(null=True)
    # Attestations are never deleted: nobody looks from them to here.
    attestation = models.ForeignKey(
        "provenance.Attestation", on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    was_published = models.BooleanField()
    evidence = models.ForeignKey(
        "provenance.Attestation",
        on_delete=models.PROTECT,
        null=True,
        db_index=False,
        related_name="+",
    )

    class Meta:
        db_table = "tombstone"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(was_published=False) | models.Q(evidence__isnull=False),
                name="no_evidence_saved_no_deletion",
            ),
            models.UniqueConstraint(fields=["build", "path"], name="one_tombstone_per_path"),
            models.UniqueConstraint(
                fields=["project", "origin", "path"], name="one_tombstone_per_origin_path"
            ),
        ]
        indexes = [
            models.Index(fields=["buried_at"], name="tombstone_newest"),
            models.Index(fields=["sha256"], name="tombstone_by_digest"),
        ]

    def __str__(self) -> str:
        return self.path
