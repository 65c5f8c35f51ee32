"""A project's verification policy: shown and changed by its maintainers."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.models import Project
from artifacts.queries import visible_project
from artifacts.usecases.change_policy import PolicyChange, change_policy
from kernel.actor import Permission
from kernel.native import NativeView
from kernel.rest import MalformedRequest, actor_of
from provenance.domain.policy import Enforcement, VerificationPolicy
from provenance.queries import current_policy


class PolicyIn(serializers.Serializer[Any]):
    """What shall hold; what is not named stays as it is."""

    enforcement = serializers.ChoiceField(
        choices=[(one.value, one.value) for one in Enforcement], required=False
    )
    accepts_release = serializers.BooleanField(required=False)
    version = serializers.IntegerField(min_value=0, required=False)


class ProjectPolicy(NativeView):
    """Answers at `/api/v1/projects/{organization}/{project}/policy`."""

    def get(self, request: Request, organization: str, project: str) -> Response:
        """Show the policy that holds."""
        found = _administered(request, organization, project)
        return Response(_document(found, current_policy(scope=found.scope)))

    def put(self, request: Request, organization: str, project: str) -> Response:
        """Change it; the answer is the policy that holds then."""
        found = _administered(request, organization, project)
        asked = PolicyIn(data=request.data)
        asked.is_valid(raise_exception=True)
        unknown = sorted(set(request.data) - set(asked.fields))
        if unknown:  # a misspelt member must not look as if it had been heeded
            raise MalformedRequest(unknown=unknown[:10], expected=sorted(asked.fields))
        given = dict(asked.validated_data)
        if "enforcement" in given:
            given["enforcement"] = Enforcement(given["enforcement"])
        changed = change_policy(
            project=found,
            change=PolicyChange(**given),
            actor=actor_of(request),
            now=timezone.now(),
        )
        return Response(_document(found, changed))


def _administered(request: Request, organization: str, project: str) -> Project:
    actor = actor_of(request)
    found = visible_project(actor=actor, organization=organization, project=project)
    actor.require(Permission.ADMINISTER, project=found.pk)
    return found


def _document(project: Project, policy: VerificationPolicy) -> dict[str, Any]:
    return {"project": str(project), "version": policy.version, **policy.to_json()}
