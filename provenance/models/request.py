"""Requests for attestations: the row is the truth, the message only a nudge."""

import uuid

from django.db import models


class RequestState(models.TextChoices):
    """Where a request stands; `attested` and `refused` are final."""

    PENDING = "pending"
    ATTESTED = "attested"
    REFUSED = "refused"


class AttestationRequest(models.Model):
    """One statement that must come to be: one group of files with identical witnessed facts.

    `statement` holds the exact bytes from the first claim on, so that every attempt signs the
    same. Work is leased here (`lease`, `leased_until`) and failures set `next_attempt_at`.
    `request_id` is the HTTP request's, because one batch attests for many of them.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization_id = models.UUIDField()
    project_id = models.UUIDField()
    build_id = models.UUIDField(db_index=True)
    subjects = models.JSONField()
    facts = models.JSONField(null=True)
    opened_at = models.DateTimeField()
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.PENDING)
    statement = models.BinaryField(null=True)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_error = models.JSONField(null=True)
    request_id = models.CharField(max_length=100, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "attestation_request"
        indexes = [
            models.Index(
                fields=["next_attempt_at"],
                name="attestation_request_due",
                condition=models.Q(state=RequestState.PENDING),
            )
        ]

    def __str__(self) -> str:
        return f"{self.state} request for build {self.build_id}"
