"""Whose retention an address is about: the store's, an organization's, a project's."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from artifacts.queries import visible_organization, visible_project
from artifacts.queries.retention import Holder, holders_above
from kernel.actor import Actor
from kernel.native import NativeView
from kernel.rest import MalformedRequest


class HolderView(NativeView):
    """About one holder; those above it have a say there as well."""

    def holders(self, actor: Actor, **names: str) -> tuple[Holder, ...]:
        """The highest first, the one that the address names last."""
        raise NotImplementedError


class OfInstance(HolderView):
    """The store."""

    def holders(self, actor: Actor, **names: str) -> tuple[Holder, ...]:  # noqa: ARG002 - one of three
        return (Holder.instance(),)


class OfOrganization(HolderView):
    """An organization."""

    def holders(self, actor: Actor, **names: str) -> tuple[Holder, ...]:
        found = visible_organization(actor=actor, **names)
        return (Holder.instance(), Holder.of_organization(found))


class OfProject(HolderView):
    """A project."""

    def holders(self, actor: Actor, **names: str) -> tuple[Holder, ...]:
        return holders_above(visible_project(actor=actor, **names))


def read(body: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """What the request's JSON says.

    Raises:
        ValidationError: a member is missing or wrong.
        MalformedRequest: one is unknown: a misspelt one must not look as if it had been heeded.
    """
    asked = body(data=request.data)
    asked.is_valid(raise_exception=True)
    unknown = sorted(set(request.data) - set(asked.fields))
    if unknown:
        raise MalformedRequest(unknown=unknown[:10], expected=sorted(asked.fields))
    return dict(asked.validated_data)
