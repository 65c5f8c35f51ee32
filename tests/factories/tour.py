"""The pages that there are: one of each kind, for whatever rows a store happens to have."""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from access.models import Issuer, Token, TrustedPublisher
from artifacts.models import (
    Artifact,
    Build,
    BulkAction,
    Hold,
    Reconciliation,
    RetentionPlan,
    RetentionPreview,
)
from kernel.audit.models import AuditRecord
from provenance.models import Attestation, AttestationRequest

_LISTS: Final = (
    *("access/invitation", "access/issuer", "access/membership", "access/token"),
    *("access/trustedpublisher", "access/user", "artifacts/allowedref"),
    *("artifacts/artifact", "artifacts/blob", "artifacts/build", "artifacts/contribution"),
    *("artifacts/download", "artifacts/organization", "artifacts/project"),
    *("artifacts/storeprobe", "artifacts/upload", "audit/auditrecord", "audit/auditseal"),
    *("outbox/heartbeat", "outbox/outboxevent", "provenance/attestation"),
    *("provenance/attestationrequest", "provenance/storeddecision"),
    *("provenance/storedpolicy", "provenance/storedtrustmap", "provenance/storedtrustroot"),
)
ARCHIVE: Final = ".zip"


def signed_artifact() -> Artifact:
    """The first that `tests.bench.seed` had signed in the name of a job."""
    return Artifact.objects.get(path="dist/signed-1.txt")


def pending_request() -> AttestationRequest:
    """A statement that waits for a later attempt."""
    waiting = AttestationRequest.objects.filter(
        state="pending", next_attempt_at__gt=timezone.now() + timedelta(minutes=5)
    )
    return waiting.order_by("-next_attempt_at")[0]


def staff_pages() -> dict[str, str]:
    """By name: every list, one row of each kind that has something of its own, every question."""
    artifact, request = signed_artifact(), pending_request().pk
    issuer, publisher = Issuer.objects.all()[0].pk, TrustedPublisher.objects.all()[0].pk
    token = Token.objects.filter(revoked_at=None).order_by("-expires_at")[0].pk
    attestation = Attestation.objects.get(build_id=artifact.build_id).pk
    told = AuditRecord.objects.filter(action="policy.set")[0].pk
    rows = {
        "artifact": f"artifacts/artifact/{artifact.pk}/change/",
        "build": f"artifacts/build/{artifact.build_id}/change/",
        "audit-record": f"audit/auditrecord/{told}/change/",
        "attestation": f"provenance/attestation/{attestation}/change/",
        "request": f"provenance/attestationrequest/{request}/change/",
        "try-again": f"provenance/attestationrequest/{request}/try-again/",
        "issuer": f"access/issuer/{issuer}/change/",
        "switch-off": f"access/issuer/{issuer}/switch-off/",
        "add-issuer": "access/issuer/add-issuer/",
        "distrust": f"access/trustedpublisher/{publisher}/distrust/",
        "add-publisher": "access/trustedpublisher/add-publisher/",
        "revoke": f"access/token/{token}/revoke/",
    }
    lists = {f"list-{name.replace('/', '-')}": f"{name}/" for name in _LISTS}
    return {
        f"staff-{name}": f"/admin/{path}" for name, path in {"first": "", **lists, **rows}.items()
    }


def console_pages() -> dict[str, str]:
    """By name: what there is to see without being staff; builds and files of every state."""
    artifact = signed_artifact()
    attestation = Attestation.objects.get(build_id=artifact.build_id).pk
    project = f"/projects/{artifact.project}"
    pages = {
        "home": "/",
        "about": "/about",
        "organization": f"/projects/{artifact.project.organization.slug}",
        "project": project,
        "project-found": f"{project}?q=dist/widget",
        "project-nothing-found": f"{project}?q=nothing",
        "files": f"{project}/files",
        "build-published": f"/builds/{artifact.build_id}",
        "artifact-passed": f"/artifacts/{artifact.pk}",
        "attestation": f"/artifacts/{artifact.pk}/attestations/{attestation}",
        "problems": "/problems/",
        "problem": "/problems/policy-not-met",
        "not-found": "/projects/acme/nothing",
        "no-address": "/nothing",
        "builder": "/attestors/release/v1",
        "build-type": "/buildtypes/github-actions-upload/v1",
    }
    for state in ("open", "sealed", "refused"):
        for build in Build.objects.filter(state=state, project=artifact.project_id)[:1]:
            pages[f"build-{state}"] = f"/builds/{build.pk}"
            for file in Artifact.objects.filter(build=build)[:1]:
                pages[f"artifact-{state}"] = f"/artifacts/{file.pk}"
    unsigned = Artifact.objects.filter(project=artifact.project_id, build__state="published")
    for file in unsigned.exclude(path__startswith="dist/signed-")[:1]:
        pages["artifact-not-verified"] = f"/artifacts/{file.pk}"
    return pages


def archive_pages() -> dict[str, str]:
    """By name: an archive and what is in it, where somebody has uploaded one."""
    archives = Artifact.objects.filter(path__endswith=ARCHIVE, build__state="published")
    return {
        name: f"/artifacts/{archive.pk}{part}"
        for archive in archives[:1]
        for name, part in (("artifact-archive", ""), ("members", "/members"))
    }


def administration_pages() -> dict[str, str]:
    """By name: what owners decide about, at each level; plans, previews and holds where there are.

    `tests.journeys.test_desk` walks through those that only a form leads to.
    """
    artifact = signed_artifact()
    levels = {
        "store": "store",
        "organization": f"organizations/{artifact.project.organization.slug}",
        "project": f"projects/{artifact.project}",
    }
    pages = {
        f"desk-{level}-{page.replace('/', '-')}": f"/administration/{address}/{page}"
        for level, address in levels.items()
        for page in ("retention", "retention/edit", "plans", "holds")
    }
    for kind, rows in (
        ("plan", RetentionPlan.objects.order_by("-made_at")),
        ("preview", RetentionPreview.objects.order_by("-made_at")),
        ("hold", Hold.objects.order_by("-placed_at")),
    ):
        pages |= {f"desk-{kind}": f"/administration/{kind}s/{one.pk}" for one in rows[:1]}
    project = f"/administration/{levels['project']}"
    for one in BulkAction.objects.order_by("-asked_at")[:1]:
        pages["desk-bulk-action"] = f"/administration/bulk/{one.pk}"
    return {
        "desk": "/administration",
        **pages,
        "desk-place-hold": f"{project}/holds/place",
        "desk-trash": f"{project}/trash",
        "desk-bulk": f"{project}/bulk",
        "desk-history": f"/artifacts/{artifact.pk}/history",
    }


def measured_pages() -> dict[str, str]:
    """By name: the administrators' pages of storage, quotas, signing and the audit trail."""
    project = signed_artifact().project
    store, organization, one = (
        "/administration/store",
        f"/administration/organizations/{project.organization.slug}",
        f"/administration/projects/{project}",
    )
    return {
        "storage-of-store": f"{store}/storage",
        "storage-of-organization": f"{organization}/storage",
        "storage-of-project": f"{one}/storage",
        "storage-of-ref": f"{one}/storage?ref=refs/heads/main",
        "quotas-of-store": f"{store}/quotas",
        "quotas-of-organization": f"{organization}/quotas",
        "quotas-of-project": f"{one}/quotas",
        "reconciliation": f"{store}/reconciliation",
        **_reports(f"{store}/reconciliation"),
        "signing": f"{store}/signing",
        "audit": f"{store}/audit",
        "audit-nothing-found": f"{store}/audit?actor=nobody",
    }


def _reports(address: str) -> dict[str, str]:
    """A comparison that found something, and the question before its repair, where there is one."""
    found = [
        one
        for one in Reconciliation.objects.order_by("-started_at")[:10]
        if one.discrepancies.exists()
    ]
    return {
        name: f"{address}/{one.pk}{part}"
        for one in found[:1]
        for name, part in (("reconciliation-report", ""), ("reconciliation-repair", "/repair"))
    }
