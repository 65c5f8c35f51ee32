"""Retention policies: of the store, of an organization, of a project."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import rfc3339
from artifacts.api.holders import HolderView, OfInstance, OfOrganization, OfProject, read
from artifacts.api.retention_shapes import RetentionPolicyDocument
from artifacts.queries.retention import Held, held_by
from artifacts.queries.retention_previews import visible_preview
from artifacts.usecases.set_retention import RetentionChange, set_retention
from kernel.rest import actor_of


class RetentionIn(serializers.Serializer[Any]):
    """The whole policy that shall hold, and why."""

    document = serializers.JSONField()
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)
    version = serializers.IntegerField(min_value=0, required=False)
    preview = serializers.UUIDField(required=False)


class RetentionView(HolderView):
    """The policy of one holder."""

    def get(self, request: Request, **names: str) -> Response:
        """Show the policy, and those that hold here as well."""
        actor = actor_of(request)
        holders = self.holders(actor, **names)
        holders[-1].require_owned(actor)
        *above, own = held_by(*holders)
        return Response(_document(own, above))

    def put(self, request: Request, **names: str) -> Response:
        """Write the next version; the answer is what holds then."""
        actor = actor_of(request)
        holders = self.holders(actor, **names)
        holders[-1].require_owned(actor)  # before the body: a stranger learns nothing from it
        asked = read(RetentionIn, request)
        if "preview" in asked:
            asked["preview"] = visible_preview(actor=actor, preview=asked["preview"])
        change = RetentionChange(**asked)
        own = set_retention(holder=holders[-1], change=change, actor=actor, now=timezone.now())
        return Response(_document(own, held_by(*holders[:-1])))


class InstanceRetention(OfInstance, RetentionView):
    """Of the store: it holds for everybody."""


class OrganizationRetention(OfOrganization, RetentionView):
    """Of an organization."""


class ProjectRetention(OfProject, RetentionView):
    """Of a project."""


def _document(own: Held, above: list[Held]) -> RetentionPolicyDocument:
    return {
        "level": own.holder.level.word,
        "of": own.holder.name,
        "version": own.version,
        "document": own.document if own.document is not None else {},
        "set_at": rfc3339(own.set_at),
        "set_by": own.set_by,
        "above": [
            {
                "level": one.holder.level.word,
                "of": one.holder.name,
                "version": one.version,
                "document": one.document if one.document is not None else {},
            }
            for one in above
        ],
    }
