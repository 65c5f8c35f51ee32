"""Requests for attestations: the row is the truth, the message only a nudge."""

import uuid
from uuid import UUID

from django.db import models

from provenance.domain.transparency import Transparency


class RequestState(models.TextChoices):
    """Where a request stands; all but `pending` are final.

    Only a second statement is given up: when no platform has confirmed the job within a day. Only a
    removal is withdrawn: when something of it has come back before it was signed.
    """

    PENDING = "pending"
    ATTESTED = "attested"
    REFUSED = "refused"
    GIVEN_UP = "given-up"
    WITHDRAWN = "withdrawn"


class ConfirmationOutcome(models.TextChoices):
    """What asking the platform's API about the job came to; for people, never an input.

    What a statement says rests on the answer that the worker that signs it has just got itself.
    """

    NOT_ASKED = "not-asked"
    CONFIRMED = "confirmed"
    INCOMPLETE = "incomplete"
    UNREACHABLE = "unreachable"
    REFUTED = "refuted"


class AttestationRequest(models.Model):
    """One statement that must come to be: one group of files with identical witnessed facts.

    Or a removal, of files of many builds: then `build_id` is null, and there are no facts.

    `statement` holds the exact bytes from the first claim on, so that every attempt signs the
    same; a removal's from the beginning. Work is leased here (`lease`, `leased_until`) and
    failures set `next_attempt_at`.
    `request_id` is the HTTP request's, because one batch attests for many of them.
    `transparency` is where the claim in force lets it be recorded; empty before any.
    `unanswered_since` is when the platform's API first failed to answer. `confirms` names the
    request whose job could not be confirmed in time: this one is for the second statement.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization_id = models.UUIDField()
    project_id = models.UUIDField()
    build_id = models.UUIDField(null=True, db_index=True)
    subjects = models.JSONField()
    facts = models.JSONField(null=True)
    issuer_name = models.CharField(max_length=40, blank=True)
    opened_at = models.DateTimeField()
    sealed_at = models.DateTimeField()
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=RequestState, default=RequestState.PENDING)
    statement = models.BinaryField(null=True)
    transparency = models.CharField(
        max_length=14, choices=[(one.value, one.value) for one in Transparency], blank=True
    )
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    last_error = models.JSONField(null=True)
    confirmation = models.CharField(
        max_length=12, choices=ConfirmationOutcome, default=ConfirmationOutcome.NOT_ASKED
    )
    confirmation_told = models.JSONField(null=True)
    unanswered_since = models.DateTimeField(null=True)
    confirms = models.OneToOneField("self", on_delete=models.PROTECT, null=True)
    request_id = models.CharField(max_length=100, blank=True)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "attestation_request"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(build_id__isnull=False)
                | models.Q(statement__isnull=False, facts=None, confirms=None),
                name="removal_has_statement",
            ),
        ]
        indexes = [
            models.Index(fields=["-requested_at", "id"], name="attestation_request_newest"),
            models.Index(
                fields=["state", "-requested_at", "id"],
                condition=~models.Q(state=RequestState.ATTESTED),
                name="attestation_request_left",
            ),
            models.Index(
                fields=["next_attempt_at"],
                name="attestation_request_due",
                condition=models.Q(state=RequestState.PENDING),
            ),
        ]

    def __str__(self) -> str:
        about = f"build {self.build_id}" if self.build_id is not None else "a removal"
        return f"{self.state} request for {about}"

    @property
    def build(self) -> UUID:
        """The build that it is for.

        Raises:
            ValueError: it is a removal, which is for none.
        """
        if self.build_id is None:
            raise ValueError(f"request {self.pk} is a removal")
        return self.build_id
