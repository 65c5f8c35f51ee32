"""The audit trail, its seals and checkpoints: append-only by the runtime role's grants.

No foreign keys: names stay after their rows are gone.
"""

from django.db import models
from django.db.models.functions import Cast


class AuditRecord(models.Model):
    """Who did what to what, when, and from which address (empty where no request asked for it).

    `organization_id` says whose owners may read it. `transaction_id` is PostgreSQL's number of the
    transaction that wrote it: the sealer waits until every earlier one has ended.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=100)
    target = models.CharField(max_length=500)
    organization_id = models.UUIDField(null=True)
    facts = models.JSONField(default=dict)
    request_id = models.CharField(max_length=100, blank=True)
    address = models.CharField(max_length=64, blank=True, default="", db_default="")
    transaction_id = models.BigIntegerField(
        db_index=True,
        db_default=Cast(
            Cast(models.Func(function="pg_current_xact_id"), models.TextField()),
            models.BigIntegerField(),
        ),
    )

    class Meta:
        db_table = "audit_record"
        indexes = [
            models.Index(fields=["organization_id", "-id"], name="audit_of_organization"),
            models.Index(fields=["actor", "-id"], name="audit_by_actor"),
            models.Index(fields=["action", "-id"], name="audit_by_action"),
            models.Index(fields=["target", "-id"], name="audit_by_target"),
            models.Index(fields=["address", "-id"], name="audit_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%dT%H:%M:%SZ} {self.actor} {self.action} {self.target}"


class AuditSeal(models.Model):
    """One link of the chain over the audit trail: which rows, in which order, with which digests.

    It covers the rows behind `floor_id` whose transactions are from `from_transaction` on and below
    `below_transaction`: all of them, because no other such transaction was left when it was made.
    `rows` holds for each, in order, its id (8 bytes) and the SHA-256 of its canonical form (32).
    """

    number = models.BigIntegerField(primary_key=True)
    floor_id = models.BigIntegerField()
    from_transaction = models.BigIntegerField()
    below_transaction = models.BigIntegerField()
    row_count = models.PositiveIntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    highest_id = models.BigIntegerField()
    rows = models.BinaryField()
    previous_sha256 = models.CharField(max_length=64, blank=True)
    sha256 = models.CharField(max_length=64, unique=True)
    sealed_at = models.DateTimeField()

    class Meta:
        db_table = "audit_seal"

    def __str__(self) -> str:
        return f"seal {self.number}"


class AuditCheckpoint(models.Model):
    """A seal's digest as the attestor signed it: `bundle` is what others keep.

    The columns say the same for those who look; nobody verifies by them.
    """

    number = models.BigIntegerField(primary_key=True)
    seal = models.BigIntegerField()
    seal_sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    bundle = models.BinaryField()

    class Meta:
        db_table = "audit_checkpoint"

    def __str__(self) -> str:
        return f"checkpoint {self.number}"
