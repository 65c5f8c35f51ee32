"""The audit trail over HTTP: all of it for administrators of the instance, an owner's to owners."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.queries import visible_organization
from kernel.actor import Actor, Permission
from kernel.audit.export import as_lines, as_table
from kernel.audit.models import AuditRecord
from kernel.audit.queries import Wanted, records
from kernel.audit.queries import checkpoints as signed_checkpoints
from kernel.audit.seal import last_seal
from kernel.native import NativeView
from kernel.pages import PAGE_ROWS, cursor_of, next_link
from kernel.rest import MalformedRequest, actor_of, problem_response

LINES: Final = "application/x-ndjson"
FORMS: Final = {"jsonl": LINES, "csv": "text/csv; charset=utf-8"}
MOST_DIGITS: Final = 18  # of a bigint


class AuditIn(serializers.Serializer[Any]):
    """Which records; each filter is exact, and times are whole: `since` <= at < `until`."""

    organization = serializers.CharField(max_length=200, required=False)
    actor = serializers.CharField(max_length=200, required=False)
    action = serializers.CharField(max_length=100, required=False)
    target = serializers.CharField(max_length=500, required=False)
    address = serializers.CharField(max_length=64, required=False)
    since = serializers.DateTimeField(required=False)
    until = serializers.DateTimeField(required=False)


class AuditOut(serializers.Serializer[AuditRecord]):
    """One record, as it was written."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField()
    action = serializers.CharField()
    target = serializers.CharField()
    facts = serializers.JSONField()
    request_id = serializers.CharField()
    address = serializers.CharField()


class ExportIn(AuditIn):
    """The same, and in which form."""

    format = serializers.ChoiceField(choices=[*FORMS], default="jsonl")


class Audit(NativeView):
    """Answers at `/api/v1/audit`."""

    def get(self, request: Request) -> Response:
        """Show a page, newest first, and the last seal: keep its digest where this store is not."""
        asked = AuditIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = _wanted(actor_of(request), asked.validated_data, before_id=_before(request))
        rows = list(records(wanted)[: PAGE_ROWS + 1])
        shown = rows[:PAGE_ROWS]
        response = Response(
            {"records": [AuditOut(one).data for one in shown], "last_seal": _last_seal()}
        )
        if len(rows) > PAGE_ROWS:
            url = f"{settings.PUBLIC_URL}/api/v1/audit"
            response["Link"] = next_link(request, url, str(shown[-1].pk))
        return response


class AuditExport(NativeView):
    """Answers at `/api/v1/audit/export`."""

    def get(self, request: Request) -> StreamingHttpResponse:
        """Stream all records that match, oldest first: with proofs, or as a table."""
        asked = ExportIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = dict(asked.validated_data)
        form = given.pop("format")
        wanted = _wanted(actor_of(request), given)
        head = {
            "store": settings.PUBLIC_URL,
            "exported_at": timezone.now(),
            "filters": {name: request.query_params[name] for name in given},
        }
        lines = as_table(wanted) if form == "csv" else as_lines(wanted, head=head)
        response = StreamingHttpResponse(lines, content_type=FORMS[form])
        response["Content-Disposition"] = f'attachment; filename="audit.{form}"'
        return response


@require_safe
def checkpoints(request: HttpRequest) -> HttpResponse:
    """The signed checkpoints, oldest first, a line each; for whoever wants to keep them."""
    after = request.GET.get("after", "0")
    if not _is_number(after):
        return problem_response(MalformedRequest(parameter="after", found=after[:200]), request)
    found = list(signed_checkpoints(behind=int(after))[: PAGE_ROWS + 1])
    shown = found[:PAGE_ROWS]
    body = b"".join(bytes(one.bundle) + b"\n" for one in shown)
    response = HttpResponse(body, content_type=LINES)
    if len(found) > PAGE_ROWS:
        url = f"{settings.PUBLIC_URL}/api/v1/audit/checkpoints?after={shown[-1].number}"
        response["Link"] = f'<{url}>; rel="next"'
    return response


def _wanted(actor: Actor, given: Mapping[str, Any], *, before_id: int | None = None) -> Wanted:
    """What is asked for, as far as the actor may see it; refuses as `_organizations` does."""
    filters = {name: value for name, value in given.items() if name != "organization"}
    allowed = _organizations(actor, given.get("organization"))
    return Wanted(organizations=allowed, before_id=before_id, **filters)


def _organizations(actor: Actor, named: str | None) -> set[UUID] | None:
    """Whose records may be shown; None stands for all.

    Raises:
        Unauthenticated, PermissionMissing: the actor owns nothing, or not the one that is named.
        OrganizationNotFound: the one that is named does not exist for the actor.
    """
    if named is not None:
        found = visible_organization(actor=actor, organization=named)
        actor.require_in(Permission.OWN, organization=found.pk)
        return {found.pk}
    if actor.may(Permission.ADMINISTER, project=None):
        return None
    owned = {
        grant.organization
        for grant in actor.organization_grants
        if grant.permission is Permission.OWN
    }
    if not owned:
        actor.require(Permission.ADMINISTER, project=None)
    return owned


def _before(request: Request) -> int | None:
    text = cursor_of(request)
    if text is None:
        return None
    if not _is_number(text):
        raise MalformedRequest(parameter="cursor", found=text[:200])
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS


def _last_seal() -> dict[str, int | str | datetime] | None:
    seal = last_seal()
    if seal is None:
        return None
    return {"number": seal.number, "sha256": seal.sha256, "sealed_at": seal.sealed_at}
