"""Windows for staff: the signing queue and the evidence."""

from django.contrib import admin

from kernel.staff import ReadOnly
from provenance.models import Attestation, AttestationRequest, StoredDecision, StoredPolicy


@admin.register(AttestationRequest)
class RequestAdmin(ReadOnly):
    """The signing queue: why something waits, and when it is tried again."""

    list_display = (
        "build_id",
        "state",
        "attempts",
        "next_attempt_at",
        "last_error",
        "confirmation",
        "confirms",
    )
    list_filter = ("state", "confirmation")
    ordering = ("-requested_at",)
    exclude = ("statement",)


@admin.register(Attestation)
class AttestationAdmin(ReadOnly):
    """Signed statements; their bundles are served by the API."""

    list_display = ("id", "predicate_type", "project_id", "build_id", "recorded_at")
    ordering = ("-recorded_at",)
    exclude = ("bundle",)


@admin.register(StoredPolicy)
class PolicyAdmin(ReadOnly):
    """Verification policies, every version."""

    list_display = ("project_id", "version", "set_by", "set_at")
    ordering = ("-set_at",)


@admin.register(StoredDecision)
class DecisionAdmin(ReadOnly):
    """Decisions that were made."""

    list_display = ("sha256", "project_id", "allowed", "reason", "decided_at")
    list_filter = ("allowed",)
    ordering = ("-decided_at",)
