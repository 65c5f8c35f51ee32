"""The audit trail over HTTP: all of it for administrators of the instance, an owner's to owners."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.queries import visible_organization
from kernel.actor import Actor, Permission
from kernel.audit.models import AuditRecord
from kernel.audit.queries import Wanted, records
from kernel.audit.seal import last_seal
from kernel.native import NativeView
from kernel.pages import PAGE_ROWS, cursor_of, next_link
from kernel.rest import MalformedRequest, actor_of


class AuditIn(serializers.Serializer[Any]):
    """Which records; each filter is exact, and times are whole: `since` <= at < `until`."""

    organization = serializers.CharField(max_length=200, required=False)
    actor = serializers.CharField(max_length=200, required=False)
    action = serializers.CharField(max_length=100, required=False)
    target = serializers.CharField(max_length=500, required=False)
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


class Audit(NativeView):
    """Answers at `/api/v1/audit`."""

    def get(self, request: Request) -> Response:
        """Show a page, newest first, and the last seal: keep its digest where this store is not."""
        actor = actor_of(request)
        asked = AuditIn(data=request.query_params)
        asked.is_valid(raise_exception=True)
        given = dict(asked.validated_data)
        wanted = Wanted(
            organizations=_organizations(actor, given.pop("organization", None)),
            before_id=_before(request),
            **given,
        )
        rows = list(records(wanted)[: PAGE_ROWS + 1])
        shown = rows[:PAGE_ROWS]
        response = Response(
            {"records": [AuditOut(one).data for one in shown], "last_seal": _last_seal()}
        )
        if len(rows) > PAGE_ROWS:
            url = f"{settings.PUBLIC_URL}/api/v1/audit"
            response["Link"] = next_link(request, url, str(shown[-1].pk))
        return response


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
    if not text.isascii() or not text.isdecimal() or len(text) > 18:  # noqa: PLR2004 - a bigint
        raise MalformedRequest(parameter="cursor", found=text[:200])
    return int(text)


def _last_seal() -> dict[str, int | str | datetime] | None:
    seal = last_seal()
    if seal is None:
        return None
    return {"number": seal.number, "sha256": seal.sha256, "sealed_at": seal.sealed_at}
