"""Windows for staff: the signing queue with *try again*, the evidence, and what it is judged by."""

import base64
import json
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from kernel.digest import Sha256
from kernel.errors import Refusal
from kernel.staff import shown
from kernel.staff.confirmed import Question, confirm, staff_actor
from kernel.staff.lists import ALL
from kernel.staff.marks import column, handle
from kernel.staff.pages import ReadOnly
from provenance import wiring
from provenance.domain.evidence import Expected
from provenance.domain.scope import Scope
from provenance.domain.statement import Subject
from provenance.models import (
    Attestation,
    AttestationRequest,
    AttestationSubject,
    RequestState,
    StoredDecision,
    StoredPolicy,
    StoredTrustMap,
    StoredTrustRoot,
    TrustState,
)
from provenance.usecases.retry_attestations import retry_attestations
from provenance.usecases.verify_subject import verify_subject

_OUTCOMES = {
    RequestState.ATTESTED.value: shown.GOOD,
    RequestState.PENDING.value: shown.WAITING,
    RequestState.REFUSED.value: shown.BAD,
    RequestState.GIVEN_UP.value: shown.BAD,
    RequestState.WITHDRAWN.value: shown.BAD,
}
MOST_SUBJECTS = 50


@admin.register(AttestationRequest)
class RequestAdmin(ReadOnly):
    """The signing queue: why something waits, when it is tried again, and trying it now."""

    newest_first = ("-requested_at", "id")
    shows: ClassVar = {
        "waiting": Q(state=RequestState.PENDING),
        "refused": Q(state=RequestState.REFUSED),
        "given up": Q(state=RequestState.GIVEN_UP),
        ALL: Q(),
    }
    list_display = ("build_id", "outcome", "attempts", "next_attempt", "why", "confirmation")
    search_help_text = "a build's id, or a request's"
    fields = (
        "id",
        "build",
        "outcome",
        "attempts",
        "why",
        "requested",
        "next_attempt",
        "leased_until",
        "ended",
        "confirmation",
        "told",
        "confirms",
        "issuer_name",
        "request_id",
        "subject_list",
        "witnessed",
        "statement_text",
    )
    readonly_fields = fields
    actions = ("try_many_again",)
    actions_detail = ("try_again",)

    def look_for(self, term: str) -> Q | None:
        key = shown.as_uuid(term)
        return None if key is None else Q(build_id=key) | Q(pk=key)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[AttestationRequest]":
        found: QuerySet[AttestationRequest] = super().get_queryset(request)
        if request.resolver_match is not None and "object_id" in request.resolver_match.kwargs:
            return found
        return found.defer("statement", "facts", "subjects", "confirmation_told")

    @column("build")
    def build(self, one: AttestationRequest) -> str:
        return shown.row("artifacts_build", one.build_id)

    @column("state", label=_OUTCOMES)
    def outcome(self, one: AttestationRequest) -> str:
        return one.state

    @column("next attempt")
    def next_attempt(self, one: AttestationRequest) -> str:
        if one.state != RequestState.PENDING:
            return shown.NOTHING
        left = one.next_attempt_at - timezone.now()
        when = f"in {shown.span(left)}" if left.total_seconds() > 0 else "now"
        return format_html("<span>{} ({})</span>", when, shown.moment(one.next_attempt_at))

    @column("why it waits or ended")
    def why(self, one: AttestationRequest) -> str:
        return shown.reason(one.last_error)

    @column("requested")
    def requested(self, one: AttestationRequest) -> str:
        return shown.moment(one.requested_at)

    @column("ended")
    def ended(self, one: AttestationRequest) -> str:
        return shown.moment(one.ended_at)

    @column("what the platform said")
    def told(self, one: AttestationRequest) -> str:
        return shown.document(one.confirmation_told)

    @column("subjects")
    def subject_list(self, one: AttestationRequest) -> str:
        listed = [f"{digest}  {name}" for name, digest in one.subjects[:MOST_SUBJECTS]]
        more = len(one.subjects) - len(listed)
        return shown.text("\n".join([*listed, f"and {more:,} more"] if more > 0 else listed))

    @column("witnessed facts")
    def witnessed(self, one: AttestationRequest) -> str:
        return shown.document(one.facts)

    @column("statement to be signed")
    def statement_text(self, one: AttestationRequest) -> str:
        return shown.document(json.loads(bytes(one.statement)) if one.statement else None)

    @handle("Try again", "try-again")
    def try_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        back = shown.row_url("provenance_attestationrequest", object_id)
        return self._retry(request, [UUID(object_id)], Question("Try again", (), "Try again", back))

    @admin.action(description="Try again")
    def try_many_again(
        self, request: HttpRequest, queryset: "QuerySet[AttestationRequest]"
    ) -> HttpResponse:
        keys = sorted(queryset.values_list("pk", flat=True))
        question = Question(
            f"Try {len(keys)} again",
            (),
            "Try again",
            request.get_full_path(),
            action="try_many_again",
            chosen=[str(key) for key in keys],
        )
        return self._retry(request, keys, question)

    def _retry(self, request: HttpRequest, keys: list[UUID], asked: Question) -> HttpResponse:
        now = timezone.now()
        waiting = AttestationRequest.objects.filter(
            pk__in=keys, state=RequestState.PENDING, next_attempt_at__gt=now
        ).count()
        effects = (
            f"{waiting} of {len(keys)} wait for a later attempt and are tried within seconds.",
            "What is signed, refused or being worked on stays as it is.",
            "The audit trail will name you, each build and its last error.",
        )
        question = replace(asked, effects=effects)

        def do(_given: Any) -> str:  # noqa: ANN401 - there is no form
            tried = retry_attestations(requests=keys, actor=staff_actor(request), now=now)
            return f"{tried} of {len(keys)} will be tried now; the others were not waiting."

        return confirm(self, request, question, do)


@admin.register(Attestation)
class AttestationAdmin(ReadOnly):
    """Signed statements, decoded, and what verification says of them now."""

    newest_first = ("-recorded_at", "id")
    list_display = ("id", "predicate_type", "build", "recorded")
    search_help_text = "an attestation's id, or a build's"
    fields = (
        "id",
        "predicate_type",
        "build",
        "request",
        "recorded",
        "ended",
        "bundle_sha256",
        "subject_list",
        "statement",
        "envelope",
    )
    readonly_fields = fields
    change_form_outer_after_template = "staff/verification.html"

    def look_for(self, term: str) -> Q | None:
        key = shown.as_uuid(term)
        if key is None:
            return None
        # Two looks into indexes: a condition on both tables would read one of them whole.
        of_build = AttestationRequest.objects.filter(build_id=key).values_list("pk", flat=True)
        return Q(pk=key) | Q(request_id__in=list(of_build))

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Attestation]":
        found: QuerySet[Attestation] = super().get_queryset(request)
        if request.resolver_match is not None and "object_id" in request.resolver_match.kwargs:
            return found
        return found.defer("bundle")

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        key = shown.as_uuid(object_id)
        subject = _first_subject(key) if key is not None else None
        verification = _verification(subject) if subject is not None else None
        more = {**(extra_context or {}), "verification": verification}
        response: HttpResponse = super().change_view(request, object_id, form_url, more)
        return response

    @column("build")
    def build(self, one: Attestation) -> str:
        return shown.row("artifacts_build", one.build_id)

    @column("recorded")
    def recorded(self, one: Attestation) -> str:
        return shown.moment(one.recorded_at)

    @column("bundle ended")
    def ended(self, one: Attestation) -> str:
        return shown.moment(one.end.ended_at if one.end is not None else None)

    @column("subjects")
    def subject_list(self, one: Attestation) -> str:
        found = AttestationSubject.objects.filter(attestation=one).order_by("id")
        listed = [f"{subject.sha256}  {subject.name}" for subject in found[:MOST_SUBJECTS]]
        return shown.text("\n".join(listed))

    @column("statement, as it was signed")
    def statement(self, one: Attestation) -> str:
        document = _document(one)
        if document is None:
            return shown.document(None)
        return shown.document(json.loads(base64.b64decode(document["dsseEnvelope"]["payload"])))

    @column("the rest of the bundle")
    def envelope(self, one: Attestation) -> str:
        document = _document(one)
        if document is None:
            return shown.document(None)
        document["dsseEnvelope"]["payload"] = "see above"
        return shown.document(document)


def _document(one: Attestation) -> dict[str, Any] | None:
    """The bundle, to be read; None where it has ended."""
    document: dict[str, Any] | None = json.loads(bytes(one.bundle)) if one.bundle else None
    return document


def _first_subject(attestation: UUID) -> AttestationSubject | None:
    found = AttestationSubject.objects.filter(attestation_id=attestation)
    return found.select_related("attestation").order_by("id").first()


def _verification(subject: AttestationSubject) -> dict[str, Any]:
    """What every download of the first subject asks for, told of this attestation alone."""
    of = subject.attestation
    expected = Expected(
        scope=Scope(of.organization_id, of.project_id),
        build=subject.build_id,
        subject=Subject(subject.name, Sha256(subject.sha256)),
        base_url=settings.PUBLIC_URL,
    )
    try:
        verdict = verify_subject(expected=expected, judge=wiring.judge(), now=timezone.now())
    except Refusal as refusal:
        return {"refusal": refusal.title(), "code": refusal.code}
    own = [one for one in verdict.document["attestations"] if one["id"] == str(of.pk)]
    return {"document": verdict.document, "attestations": own}


@admin.register(StoredDecision)
class DecisionAdmin(ReadOnly):
    """Decisions that were made, with everything they rest on."""

    newest_first = ("-decided_at", "pk")
    shows: ClassVar = {ALL: Q(), "denied": Q(allowed=False)}
    list_display = ("sha256", "allowed", "reason", "build", "decided")
    search_help_text = "a decision's key (64 hexadecimal digits), as in the download log"
    fields = (
        *("key", "sha256", "allowed", "reason", "build", "project", "decided", "held"),
        "document",
    )
    readonly_fields = fields

    def look_for(self, term: str) -> Q | None:
        return Q(pk=term)

    @column("build")
    def build(self, one: StoredDecision) -> str:
        return shown.row("artifacts_build", one.build_id)

    @column("project")
    def project(self, one: StoredDecision) -> str:
        return shown.row("artifacts_project", one.project_id)

    @column("decided")
    def decided(self, one: StoredDecision) -> str:
        return shown.moment(one.decided_at)

    @column("holds until")
    def held(self, one: StoredDecision) -> str:
        return shown.moment(one.holds_until)

    @column("report")
    def document(self, one: StoredDecision) -> str:
        return shown.document(one.report)


@admin.register(StoredPolicy)
class PolicyAdmin(ReadOnly):
    """Verification policies, every version."""

    newest_first = ("-id",)
    list_display = ("project_id", "version", "set_by", "set_at")
    fields = ("project", "version", "set_by", "set_at", "rules")
    readonly_fields = fields
    search_help_text = "a project's id"

    def look_for(self, term: str) -> Q | None:
        key = shown.as_uuid(term)
        return None if key is None else Q(project_id=key)

    @column("project")
    def project(self, one: StoredPolicy) -> str:
        return shown.row("artifacts_project", one.project_id)

    @column("policy")
    def rules(self, one: StoredPolicy) -> str:
        return shown.document(one.document)


@admin.register(StoredTrustRoot)
class TrustRootAdmin(ReadOnly):
    """Trust roots, every version: what bundles are verified with."""

    newest_first = ("-version",)
    list_display = ("version", "is_current", "published_at")
    fields = ("version", "is_current", "published_at", "root")
    readonly_fields = fields

    @column("in force", boolean=True)
    def is_current(self, one: StoredTrustRoot) -> bool:
        return TrustState.objects.filter(trust_root_version=one.version).exists()

    @column("trusted_root.json")
    def root(self, one: StoredTrustRoot) -> str:
        return shown.document(json.loads(bytes(one.document)))


@admin.register(StoredTrustMap)
class TrustMapAdmin(ReadOnly):
    """Trust maps, every version: which builder may claim which level."""

    newest_first = ("-version",)
    list_display = ("version", "set_by", "set_at")
    fields = ("version", "set_by", "set_at", "granted", "known")
    readonly_fields = fields

    @column("levels")
    def granted(self, one: StoredTrustMap) -> str:
        return shown.document(one.levels)

    @column("platforms")
    def known(self, one: StoredTrustMap) -> str:
        return shown.document(one.platforms)
