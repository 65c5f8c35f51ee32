"""Retention policies: of the store, of an organization, of a project."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import rfc3339
from artifacts.api.retention_shapes import RetentionPolicyDocument
from artifacts.queries import visible_organization, visible_project
from artifacts.queries.retention import Held, Holder, held_by, holders_above
from artifacts.usecases.set_retention import RetentionChange, set_retention
from kernel.actor import Actor
from kernel.native import NativeView
from kernel.rest import MalformedRequest, actor_of


class RetentionIn(serializers.Serializer[Any]):
    """The whole policy that shall hold, and why."""

    document = serializers.JSONField()
    reason = serializers.CharField(max_length=500, required=False, allow_blank=True)
    version = serializers.IntegerField(min_value=0, required=False)


class RetentionView(NativeView):
    """The policy of one holder; `holders` says which, and whose policies hold above it."""

    def holders(self, actor: Actor, **names: str) -> tuple[Holder, ...]:
        """The highest first, the one that the address names last."""
        raise NotImplementedError

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
        asked = RetentionIn(data=request.data)
        asked.is_valid(raise_exception=True)
        unknown = sorted(set(request.data) - set(asked.fields))
        if unknown:  # a misspelt member must not look as if it had been heeded
            raise MalformedRequest(unknown=unknown[:10], expected=sorted(asked.fields))
        change = RetentionChange(**asked.validated_data)
        own = set_retention(holder=holders[-1], change=change, actor=actor, now=timezone.now())
        return Response(_document(own, held_by(*holders[:-1])))


class InstanceRetention(RetentionView):
    """Of the store: it holds for everybody."""

    def holders(self, actor: Actor, **names: str) -> tuple[Holder, ...]:  # noqa: ARG002 - one of three
        return (Holder.instance(),)


class OrganizationRetention(RetentionView):
    """Of an organization."""

    def holders(self, actor: Actor, **names: str) -> tuple[Holder, ...]:
        found = visible_organization(actor=actor, **names)
        return (Holder.instance(), Holder.of_organization(found))


class ProjectRetention(RetentionView):
    """Of a project."""

    def holders(self, actor: Actor, **names: str) -> tuple[Holder, ...]:
        return holders_above(visible_project(actor=actor, **names))


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
