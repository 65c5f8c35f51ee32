"""Declarations of use, in the shapes of GitHub's artifact metadata API, and of releases."""

from typing import Any, Final
from uuid import UUID

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import rfc3339
from artifacts.api.filters import asked
from artifacts.api.keeping_shapes import DeclaredUseDocument
from artifacts.api.links import project_url
from artifacts.api.pages import PAGE_FILES, next_link
from artifacts.api.reasons import validated
from artifacts.domain.declarations import STATUSES, Kind
from artifacts.models import DeclaredUse
from artifacts.queries import visible_project
from artifacts.queries.positions import decode_cursor, encode_cursor, moment
from artifacts.queries.uses import uses_after
from artifacts.usecases.declare_use import declare_use
from kernel.actor import Permission
from kernel.digest import Sha256
from kernel.native import NativeView
from kernel.rest import actor_of, choice

_DIGEST: Final = r"^sha256:[0-9a-f]{64}$"


def _text(*, required: bool = False, longest: int = 256) -> serializers.CharField:
    return serializers.CharField(required=required, allow_blank=not required, max_length=longest)


class RecordIn(serializers.Serializer[Any]):
    """What all declarations say: of what, and which bytes."""

    name = _text(required=True)
    digest = serializers.RegexField(_DIGEST)
    version = _text()
    github_repository = _text()


class StorageRecordIn(RecordIn):
    """A registry has a copy."""

    artifact_url = _text(longest=2048)
    path = _text(longest=1024)
    registry_url = _text(required=True, longest=2048)
    repository = _text()
    status = serializers.ChoiceField(choices=list(STATUSES[Kind.STORAGE]), default="active")


class DeploymentRecordIn(RecordIn):
    """Something runs it."""

    status = serializers.ChoiceField(choices=list(STATUSES[Kind.DEPLOYMENT]))
    logical_environment = _text(required=True, longest=128)
    physical_environment = _text(longest=128)
    cluster = _text(longest=128)
    deployment_name = _text(required=True)
    tags = serializers.DictField(child=_text(), required=False)
    runtime_risks = serializers.ListField(child=_text(), required=False, max_length=20)


class ReleaseRecordIn(RecordIn):
    """It was published as a release."""

    status = serializers.ChoiceField(choices=list(STATUSES[Kind.RELEASE]), default="published")


class RecordView(NativeView):
    """Takes one kind of declaration, and answers as GitHub does."""

    kind: Kind
    shape: type[RecordIn]

    def post(self, request: Request, organization: str, project: str) -> Response:
        """Declare it, or say what is true of it now."""
        actor = actor_of(request)
        found = visible_project(actor=actor, organization=organization, project=project)
        actor.require(Permission.ADMINISTER, project=found.pk)
        declared = declare_use(
            project=found,
            kind=self.kind,
            document=validated(self.shape, request),
            actor=actor,
            now=timezone.now(),
        )
        record = {"id": str(declared.pk), **declared.document}
        return Response({"total_count": 1, f"{self.kind}_records": [record]})


class StorageRecord(RecordView):
    """That a registry has a copy."""

    kind, shape = Kind.STORAGE, StorageRecordIn


class DeploymentRecord(RecordView):
    """That something runs it."""

    kind, shape = Kind.DEPLOYMENT, DeploymentRecordIn


class ReleaseRecord(RecordView):
    """That it was released."""

    kind, shape = Kind.RELEASE, ReleaseRecordIn


class ProjectUses(NativeView):
    """What was declared about a project's bytes."""

    def get(self, request: Request, organization: str, project: str) -> Response:
        """List it, what was said last first."""
        actor = actor_of(request)
        found = visible_project(actor=actor, organization=organization, project=project)
        actor.require(Permission.ADMINISTER, project=found.pk)
        parameters = asked(request, "kind", "sha256", "cursor")
        digest = parameters.get("sha256")
        position = decode_cursor(parameters.get("cursor"), moment, UUID)
        rows = uses_after(
            (position[0], position[1]) if position is not None else None,
            project=found,
            kind=choice(parameters, "kind", Kind),
            sha256=Sha256(digest).hex if digest is not None else None,
            limit=PAGE_FILES + 1,
        )
        shown = rows[:PAGE_FILES]
        response = Response({"uses": [_document(one) for one in shown]})
        if len(rows) > PAGE_FILES:
            cursor = encode_cursor(shown[-1].declared_at.isoformat(), shown[-1].pk)
            response["Link"] = next_link(f"{project_url(found)}/uses", cursor, parameters)
        return response


def _document(declared: DeclaredUse) -> DeclaredUseDocument:
    return {
        "id": str(declared.pk),
        "kind": declared.kind,
        "sha256": declared.sha256,
        "protects": declared.protects,
        "ends_at": rfc3339(declared.ends_at),
        "declared_at": rfc3339(declared.declared_at),
        "declared_by": declared.declared_by,
        "record": declared.document,
    }
