"""How much an organization or a project has, and may have."""

from datetime import datetime
from typing import Annotated, Any, Final, TypedDict

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import rfc3339
from artifacts.domain.quota import SOFT_GRACE, Limits, Quota, Standing, Use
from artifacts.queries import visible_organization, visible_project
from artifacts.queries.use import (
    Subject,
    arriving_bytes,
    measured_use,
    pending_free_bytes,
    use_by_project,
)
from artifacts.usecases.collect_blobs import GRACE
from artifacts.usecases.set_quota import set_organization_quota, set_project_quota
from kernel.actor import Permission
from kernel.native import NativeView
from kernel.rest import actor_of
from kernel.shapes import Count, Says, SizeBytes, Time

MOST_BYTES: Final = 2**62
MOST_PROJECTS: Final = 100
Level = Annotated[int | None, Says(minimum=1, description="Null is no limit.", examples=[1000])]


class LimitsIn(serializers.Serializer[Any]):
    """Of bytes, or of files."""

    warn = serializers.IntegerField(
        min_value=1, max_value=MOST_BYTES, allow_null=True, default=None
    )
    soft = serializers.IntegerField(
        min_value=1, max_value=MOST_BYTES, allow_null=True, default=None
    )
    hard = serializers.IntegerField(
        min_value=1, max_value=MOST_BYTES, allow_null=True, default=None
    )


class QuotaIn(serializers.Serializer[Any]):
    """What shall be limited from now on; what is left out is not."""

    bytes = LimitsIn(required=False, allow_null=True, default=None)
    files = LimitsIn(required=False, allow_null=True, default=None)


class LimitsDocument(TypedDict):
    """From where on it is shown, taken for a week only, and refused."""

    warn: Level
    soft: Level
    hard: Level


class QuotaDocument(TypedDict):
    """The limits."""

    bytes: LimitsDocument
    files: LimitsDocument


class UseDocument(TypedDict):
    """What there is: bytes of all files, and of their distinct digests, which a quota counts."""

    files: Count
    logical_bytes: SizeBytes
    physical_bytes: SizeBytes


class ProjectUse(UseDocument):
    """What a project has; bytes that two projects have are in both."""

    project: str


class UsageDocument(TypedDict):
    """Use and quota."""

    name: str
    use: UseDocument
    arriving_bytes: SizeBytes
    pending_free_bytes: Annotated[
        SizeBytes,
        Says(description="Its own bytes that no file has any more, and that are collected soon."),
    ]
    quota: QuotaDocument | None
    standing: Standing
    refused_from: Annotated[
        Time | None,
        Says(description="When the soft limit begins to refuse; null where it is kept."),
    ]


class OrganizationUsageDocument(UsageDocument):
    """The same with its projects that have the most, at most 100."""

    projects: list[ProjectUse]


class OrganizationUsage(NativeView):
    """Answers at `/api/v1/organizations/{organization}/usage`."""

    def get(self, request: Request, organization: str) -> Response:
        """Measure it now."""
        actor = actor_of(request)
        found = visible_organization(actor=actor, organization=organization)
        actor.require_in(Permission.ADMINISTER, organization=found.pk)
        projects: list[ProjectUse] = [
            {"project": project, **_use(use)}
            for project, use in use_by_project(found, most=MOST_PROJECTS)
        ]
        document: OrganizationUsageDocument = {
            **usage_document(found, now=timezone.now()),
            "projects": projects,
        }
        return Response(document)


class OrganizationQuota(NativeView):
    """Answers at `/api/v1/organizations/{organization}/quota`."""

    def put(self, request: Request, organization: str) -> Response:
        """Set it."""
        actor = actor_of(request)
        visible_organization(actor=actor, organization=organization)
        actor.require(Permission.ADMINISTER, project=None)
        now = timezone.now()
        changed = set_organization_quota(
            actor=actor, organization=organization, quota=_asked(request), now=now
        )
        return Response(usage_document(changed, now=now))


class ProjectUsage(NativeView):
    """Answers at `/api/v1/projects/{organization}/{project}/usage`."""

    def get(self, request: Request, organization: str, project: str) -> Response:
        """Measure it now."""
        actor = actor_of(request)
        found = visible_project(actor=actor, organization=organization, project=project)
        actor.require(Permission.ADMINISTER, project=found.pk)
        return Response(usage_document(found, now=timezone.now()))


class ProjectQuota(NativeView):
    """Answers at `/api/v1/projects/{organization}/{project}/quota`."""

    def put(self, request: Request, organization: str, project: str) -> Response:
        """Set it."""
        actor = actor_of(request)
        found = visible_project(actor=actor, organization=organization, project=project)
        actor.require_in(Permission.OWN, organization=found.organization_id)
        now = timezone.now()
        changed = set_project_quota(
            actor=actor,
            organization=organization,
            project=project,
            quota=_asked(request),
            now=now,
        )
        return Response(usage_document(changed, now=now))


def usage_document(subject: Subject, *, now: datetime) -> UsageDocument:
    """What it has at this moment, and how that stands to its quota."""
    use, _counted = measured_use(subject)
    quota = Quota.parse(subject.quota)
    since = subject.over_soft_since
    return {
        "name": str(subject),
        "use": _use(use),
        "arriving_bytes": arriving_bytes(subject),
        "pending_free_bytes": pending_free_bytes(subject, freed_after=now - GRACE),
        "quota": _quota(quota) if quota is not None else None,
        "standing": quota.standing(use) if quota is not None else Standing.WITHIN,
        "refused_from": rfc3339(since + SOFT_GRACE) if since is not None else None,
    }


def _asked(request: Request) -> Quota | None:
    """The quota in the body; None where it limits nothing."""
    asked = QuotaIn(data=request.data)
    asked.is_valid(raise_exception=True)
    quota = Quota.parse(asked.validated_data)
    return None if quota == Quota() else quota


def _use(use: Use) -> UseDocument:
    return {
        "files": use.files,
        "logical_bytes": use.logical_bytes,
        "physical_bytes": use.physical_bytes,
    }


def _quota(quota: Quota) -> QuotaDocument:
    return {"bytes": _limits(quota.bytes), "files": _limits(quota.files)}


def _limits(limits: Limits) -> LimitsDocument:
    return {"warn": limits.warn, "soft": limits.soft, "hard": limits.hard}
