"""Legal holds: placed, listed, and lifted by more than one."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import rfc3339
from artifacts.api.filters import asked, identity
from artifacts.api.keeping_shapes import HoldDocument
from artifacts.api.links import organization_url, project_url, root
from artifacts.api.pages import PAGE_HOLDS, next_link
from artifacts.api.reasons import ReasonIn, validated
from artifacts.domain.holds import HoldState, Reach
from artifacts.domain.patterns import MAX_PATTERN_CHARACTERS, Pattern
from artifacts.models import Hold
from artifacts.queries import visible_organization, visible_project
from artifacts.queries.holds import HoldFilter, covers_of, holds_after, visible_hold
from artifacts.queries.positions import decode_cursor, encode_cursor, moment
from artifacts.queries.retention import Holder
from artifacts.usecases.lift_hold import lift_hold
from artifacts.usecases.place_hold import Holding, place_hold
from kernel.actor import Actor, Permission
from kernel.native import NativeView
from kernel.rest import actor_of, choice


class HoldIn(ReasonIn):
    """What shall be held: one of the three, or with none of them the whole project."""

    artifact = serializers.UUIDField(required=False, allow_null=True, default=None)
    build = serializers.UUIDField(required=False, allow_null=True, default=None)
    paths = serializers.CharField(
        required=False, allow_null=True, default=None, max_length=MAX_PATTERN_CHARACTERS
    )
    ends_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class HoldsView(NativeView):
    """The holds below one holder."""

    def holder(self, actor: Actor, **names: str) -> tuple[Holder, str]:
        """Whose they are, and where this list is."""
        raise NotImplementedError

    def get(self, request: Request, **names: str) -> Response:
        """List them, newest first."""
        actor = actor_of(request)
        holder, url = self.holder(actor, **names)
        holder.require_owned(actor)
        parameters = asked(request, "state", "artifact", "build", "cursor")
        wanted = HoldFilter(
            choice(parameters, "state", HoldState),
            identity(parameters, "artifact"),
            identity(parameters, "build"),
        )
        position = decode_cursor(parameters.get("cursor"), moment, UUID)
        found = holds_after(
            (position[0], position[1]) if position is not None else None,
            holder=holder,
            wanted=wanted,
            limit=PAGE_HOLDS + 1,
            now=timezone.now(),
        )
        shown = found[:PAGE_HOLDS]
        response = Response({"holds": [hold_document(one) for one in shown]})
        if len(found) > PAGE_HOLDS:
            cursor = encode_cursor(shown[-1].placed_at.isoformat(), shown[-1].pk)
            response["Link"] = next_link(url, cursor, parameters)
        return response


class InstanceHolds(HoldsView):
    """All."""

    def holder(self, actor: Actor, **names: str) -> tuple[Holder, str]:  # noqa: ARG002 - one of three
        return Holder.instance(), f"{root()}/holds"


class OrganizationHolds(HoldsView):
    """Of an organization."""

    def holder(self, actor: Actor, **names: str) -> tuple[Holder, str]:
        found = visible_organization(actor=actor, **names)
        return Holder.of_organization(found), f"{organization_url(found)}/holds"


class ProjectHolds(HoldsView):
    """Of a project."""

    def holder(self, actor: Actor, **names: str) -> tuple[Holder, str]:
        found = visible_project(actor=actor, **names)
        return Holder.of_project(found), f"{project_url(found)}/holds"

    def post(self, request: Request, **names: str) -> Response:
        """Place one."""
        actor = actor_of(request)
        project = visible_project(actor=actor, **names)
        actor.require(Permission.OWN, project=project.pk)
        given = validated(HoldIn, request)
        paths = Pattern(given["paths"]) if given["paths"] is not None else None
        reach = Reach(given["artifact"], given["build"], paths)
        holding = Holding(reach, given["reason"], given["ends_at"])
        placed = place_hold(project=project, holding=holding, actor=actor, now=timezone.now())
        return Response(hold_document(placed), status=201, headers={"Location": hold_url(placed)})


class HoldDetail(NativeView):
    """One hold."""

    def get(self, request: Request, hold: UUID) -> Response:
        """Show it."""
        return Response(hold_document(visible_hold(actor=actor_of(request), hold=hold)))


class HoldLift(NativeView):
    """The end of a hold, which more than one person wants."""

    def post(self, request: Request, hold: UUID) -> Response:
        """Say that it should be lifted."""
        actor = actor_of(request)
        found = visible_hold(actor=actor, hold=hold)
        actor.require_whole_person()
        lifted = lift_hold(
            hold=found,
            persons=settings.HOLD_LIFT_PERSONS,
            reason=validated(ReasonIn, request)["reason"],
            actor=actor,
            now=timezone.now(),
        )
        return Response(hold_document(lifted))


def hold_url(hold: Hold) -> str:
    """A hold, by its id."""
    return f"{root()}/holds/{hold.pk}"


def hold_document(hold: Hold) -> HoldDocument:
    """A hold, and how far its lifting is."""
    now = timezone.now()
    standing = hold.standing
    consents = sorted(hold.consents.all(), key=lambda one: one.given_at)
    covers: Any = covers_of(hold)
    return {
        "id": str(hold.pk),
        "project": str(hold.project),
        "covers": covers,
        "reason": hold.reason,
        "state": standing.state(now=now),
        "placed_at": rfc3339(hold.placed_at),
        "placed_by": hold.placed_by,
        "ends_at": rfc3339(hold.ends_at),
        "lifting": {
            "persons_needed": settings.HOLD_LIFT_PERSONS,
            "asked": [
                {
                    "by": one.given_by,
                    "at": rfc3339(one.given_at),
                    "reason": one.reason,
                    "counts": one.consent.counts(now=now),
                }
                for one in consents
            ],
            "lifted_at": rfc3339(standing.lifted_at),
        },
        "urls": {"self": hold_url(hold), "lift": f"{hold_url(hold)}/lift"},
    }
