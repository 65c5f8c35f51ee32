"""One act on many artifacts: asked, started as it was shown, watched and cancelled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.bulk_shapes import BulkActionDocument, BulkItemDocument, BulkRunDocument
from artifacts.api.documents import rfc3339
from artifacts.api.filters import asked, identity
from artifacts.api.links import root
from artifacts.api.pages import PAGE_FILES, counted_page
from artifacts.api.reasons import ReasonIn, validated
from artifacts.domain.bulk import Act, Outcome
from artifacts.models import BulkAction, BulkActionItem, BulkRun, Project
from artifacts.queries import visible_project
from artifacts.queries.bulk_actions import (
    bulk_actions_of,
    items_of_bulk_action,
    run_of_bulk_action,
    visible_bulk_action,
)
from artifacts.queries.fates import forgotten_among
from artifacts.queries.positions import row_behind
from artifacts.usecases.ask_bulk_action import ask_bulk_action
from artifacts.usecases.cancel_bulk_action import cancel_bulk_action
from artifacts.usecases.start_bulk_action import Confirmation, start_bulk_action
from kernel.actor import Actor, Permission
from kernel.native import NativeView
from kernel.rest import actor_of, choice


class BulkActionIn(serializers.Serializer[Any]):
    """What shall be done, and to which artifacts; without a selection to all."""

    act = serializers.ChoiceField(choices=[act.value for act in Act])
    selection = serializers.JSONField(required=False, default=dict)


class StartIn(ReasonIn):
    """What was shown, said again: the project, and how many artifacts it will be done to."""

    project = serializers.CharField(max_length=200)
    artifacts = serializers.IntegerField(min_value=0)


class ProjectBulkActions(NativeView):
    """The bulk actions of a project."""

    def get(self, request: Request, organization: str, project: str) -> Response:
        """List the newest."""
        actor = actor_of(request)
        found = _administered(actor, organization, project)
        artifact = identity(asked(request, "artifact"), "artifact")
        listed = bulk_actions_of(found, actor=actor, artifact=artifact)
        return Response({"bulk_actions": _documents(listed)})

    def post(self, request: Request, organization: str, project: str) -> Response:
        """Ask for one. Nothing is done until it is started."""
        actor = actor_of(request)
        found = _administered(actor, organization, project)
        given = validated(BulkActionIn, request)
        made = ask_bulk_action(
            project=found,
            act=Act(given["act"]),
            selection=given["selection"],
            actor=actor,
            now=timezone.now(),
        )
        return Response(bulk_document(made), status=201, headers={"Location": bulk_url(made)})


class BulkActionDetail(NativeView):
    """One bulk action."""

    def get(self, request: Request, action: UUID) -> Response:
        """Show it in numbers, and how far it is."""
        found = visible_bulk_action(actor=actor_of(request), action=action)
        return Response(bulk_document(found))


class BulkActionItems(NativeView):
    """The artifacts of a bulk action."""

    def get(self, request: Request, action: UUID) -> Response:
        """Show one page of them, in the order of the work, with what came of each."""
        found = visible_bulk_action(actor=actor_of(request), action=action)
        parameters = asked(request, "cursor", "outcome")
        items = items_of_bulk_action(
            row_behind(parameters.get("cursor")),
            action=found,
            limit=PAGE_FILES + 1,
            outcome=choice(parameters, "outcome", Outcome),
        )
        return counted_page(
            {"bulk_action": str(found.pk)},
            items,
            _item,
            url=f"{bulk_url(found)}/items",
            asked=parameters,
        )


class BulkActionStart(NativeView):
    """The run of a bulk action."""

    def post(self, request: Request, action: UUID) -> Response:
        """Start it; a worker goes on, and the bulk action says how far it is."""
        actor = actor_of(request)
        found = visible_bulk_action(actor=actor, action=action)
        confirmed = Confirmation(**validated(StartIn, request))
        start_bulk_action(action=found, confirmed=confirmed, actor=actor, now=timezone.now())
        return Response(bulk_document(_again(found, actor)), status=202)


class BulkActionCancel(NativeView):
    """The end of a bulk action."""

    def post(self, request: Request, action: UUID) -> Response:
        """Ask for it; what has been done stays so, and what has no run needs no end."""
        actor = actor_of(request)
        found = visible_bulk_action(actor=actor, action=action)
        cancel_bulk_action(action=found, actor=actor, now=timezone.now())
        return Response(bulk_document(_again(found, actor)))


def bulk_url(action: BulkAction) -> str:
    """A bulk action, by its id."""
    return f"{root()}/bulk-actions/{action.pk}"


def bulk_document(action: BulkAction) -> BulkActionDocument:
    """A bulk action in numbers, and where its artifacts are."""
    [document] = _documents([action])
    return document


def _documents(actions: Sequence[BulkAction]) -> list[BulkActionDocument]:
    forgotten = forgotten_among(actions)
    return [_document(one, forgotten.get(one.pk)) for one in actions]


def _document(action: BulkAction, forgotten_at: datetime | None) -> BulkActionDocument:
    url, run = bulk_url(action), run_of_bulk_action(action)
    return {
        "id": str(action.pk),
        "project": str(action.project),
        "act": action.act,
        "selection": action.selection,
        "asked_at": rfc3339(action.asked_at),
        "asked_by": action.asked_by,
        "expected": action.expected,
        "artifacts": action.artifacts,
        "logical_bytes": action.logical_bytes,
        "run": _run(run) if run is not None else None,
        "list_forgotten_at": rfc3339(forgotten_at),
        "urls": {
            "self": url,
            "items": f"{url}/items",
            "start": f"{url}/start",
            "cancel": f"{url}/cancel",
        },
    }


def _administered(actor: Actor, organization: str, project: str) -> Project:
    found = visible_project(actor=actor, organization=organization, project=project)
    actor.require(Permission.ADMINISTER, project=found.pk)
    return found


def _again(action: BulkAction, actor: Actor) -> BulkAction:
    return visible_bulk_action(actor=actor, action=action.pk)


def _run(run: BulkRun) -> BulkRunDocument:
    return {
        "state": run.state,
        "reason": run.reason,
        "started_at": rfc3339(run.started_at),
        "started_by": run.started_by,
        "ended_at": rfc3339(run.ended_at),
        "is_cancelling": run.cancel_asked_at is not None,
        "looked_at": run.looked_at,
        "outcomes": run.outcomes,
        "done_bytes": run.done_bytes,
    }


def _item(item: BulkActionItem) -> BulkItemDocument:
    result = getattr(item, "result", None)
    return {
        "artifact": str(item.artifact_id),
        "path": item.path,
        "ref": item.ref,
        "size_bytes": item.size_bytes,
        "expected": item.expected,
        "outcome": result.outcome if result is not None else None,
        "at": rfc3339(result.at) if result is not None else None,
    }
