"""Legal holds: what must not go, who says so, and that nobody lifts one alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from artifacts import wiring
from artifacts.domain.holds import HoldMalformed, HoldState
from artifacts.domain.reasons import ReasonMissing
from artifacts.domain.reconciliation import Difference
from artifacts.domain.retention import Level
from artifacts.queries import visible_project
from artifacts.queries.bucket_holds import bucket_holds, can_hold
from artifacts.queries.holds import HoldFilter, holds_after, visible_hold
from artifacts.queries.lives import paths_of
from artifacts.queries.positions import decode_cursor, encode_cursor, moment
from artifacts.queries.reconciling import last_reconciliation
from artifacts.queries.retention import Holder
from artifacts.usecases.lift_hold import lift_hold
from artifacts.usecases.place_hold import Holding, place_hold
from console.administration import Place, administered, members_only, show_place
from console.asking import asked, pages
from console.confirming import answers
from console.holding import COVERS, end_of, reach_of, shown
from console.troubles import Trouble
from kernel.actor import Permission
from kernel.rest import MalformedRequest, choice

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from artifacts.models import Hold, Project
    from console.holding import HoldShown
    from kernel.actor import Actor

PAGE_HOLDS: Final = 50


@require_safe
@administered
def holds(request: HttpRequest, actor: Actor, place: Place) -> HttpResponse:
    """The holds of what is below the place, the newest first; those that stand, if not asked."""
    given, now = asked(request, "cursor", "state"), timezone.now()
    wanted = {"state": HoldState.ACTIVE.value, **given}
    state = None if wanted["state"] == "any" else choice(wanted, "state", HoldState)
    position = decode_cursor(given.get("cursor"), moment, UUID)
    found = holds_after(
        (position[0], position[1]) if position is not None else None,
        holder=place.holder,
        wanted=HoldFilter(state=state),
        limit=PAGE_HOLDS + 1,
        now=now,
    )
    kept = found[:PAGE_HOLDS]
    more = encode_cursor(kept[-1].placed_at.isoformat(), kept[-1].pk) if kept else ""
    content = {
        "holds": _shown(kept, actor),
        "states": [*((one.value, one.value) for one in HoldState), ("any", "any")],
        "state": wanted["state"],
        "pages": pages(given, more if len(found) > PAGE_HOLDS else None),
        "bucket": _bucket(place),
        "place_one": reverse("place_hold", kwargs=dict(place.names)) if _is_project(place) else "",
    }
    return show_place(request, "console/administration/holds.html", place, content, tab="holds")


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def place_one(request: HttpRequest, actor: Actor, organization: str, project: str) -> HttpResponse:
    """Place a hold on something of the project; one person is enough."""
    found = visible_project(actor=actor, organization=organization, project=project)
    actor.require(Permission.OWN, project=found.pk)
    fields, trouble = _fields(request), None
    if request.method == "POST":
        placed = _place(found, fields, actor)
        if not isinstance(placed, Trouble):
            return _to(placed.pk)
        trouble = placed
    place = Place.of(Holder.of_project(found), actor=actor)
    content = {
        "fields": fields,
        "trouble": trouble,
        "covers": COVERS,
        "here": "Place a hold",
        "back": place.url("holds"),
    }
    template, status = "console/administration/hold_place.html", 422 if trouble else 200
    return show_place(request, template, place, content, tab="holds", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def hold(request: HttpRequest, actor: Actor, hold: UUID) -> HttpResponse:
    """One hold; a form asks to have it lifted, and lifts it where enough others have asked."""
    found = visible_hold(actor=actor, hold=hold)
    [told] = _shown([found], actor)
    given = answers(request, name=str(found.project) if told.still_needed == 1 else "")
    if given.is_complete and told.is_active and not told.has_asked:
        lift_hold(
            hold=found,
            persons=settings.HOLD_LIFT_PERSONS,
            reason=given.reason,
            actor=actor,
            now=timezone.now(),
        )
        return _to(found.pk)
    place = Place.of(Holder.of_project(found.project), actor=actor)
    content = {
        "shown": told,
        "persons": settings.HOLD_LIFT_PERSONS,
        "answers": given,
        "here": "Hold",
        "back": place.url("holds"),
    }
    template, status = "console/administration/hold.html", 422 if given.is_sent else 200
    return show_place(request, template, place, content, tab="holds", status=status)


def _bucket(place: Place) -> dict[str, object]:
    """Whether bytes that are held are safe from whoever may write to the bucket.

    How many there are is about everybody's, and so for administrators of the instance.
    """
    name = wiring.probed_place()
    told: dict[str, object] = {"is_able": can_hold(place=name)}
    if place.holder.level is Level.INSTANCE:
        report = last_reconciliation(place=name)
        held, waiting = bucket_holds()
        told |= {
            "held": held,
            "waiting": waiting,
            "report": report,
            "differences": sum(
                report.counts[one]["count"] for one in (Difference.UNHELD, Difference.OVERHELD)
            )
            if report is not None
            else 0,
        }
    return told


def _is_project(place: Place) -> bool:
    return "project" in place.names


def _shown(holds: Sequence[Hold], actor: Actor) -> list[HoldShown]:
    paths = paths_of(one.artifact_id for one in holds if one.artifact_id is not None)
    persons, now = settings.HOLD_LIFT_PERSONS, timezone.now()
    told = []
    for one in holds:
        path = paths.get(one.artifact_id, "") if one.artifact_id is not None else ""
        told.append(shown(one, path, persons=persons, person=actor.person, now=now))
    return told


def _fields(request: HttpRequest) -> dict[str, str]:
    """What the form has sent, or what the link to it names."""
    sent = request.POST if request.method == "POST" else request.GET
    fields = {name: sent.get(name, "").strip() for name in ("covers", "what", "reason", "ends_at")}
    if any("\x00" in one for one in fields.values()):
        raise MalformedRequest(expected="readable text")
    return fields


def _place(project: Project, fields: Mapping[str, str], actor: Actor) -> Hold | Trouble:
    reach = reach_of(fields["covers"], fields["what"])
    ends_at = end_of(fields["ends_at"])
    if isinstance(reach, Trouble):
        return reach
    if isinstance(ends_at, Trouble):
        return ends_at
    holding = Holding(reach, fields["reason"], ends_at)
    try:
        return place_hold(project=project, holding=holding, actor=actor, now=timezone.now())
    except ReasonMissing as refusal:
        expected = f"1 to {refusal.facts['limit_characters']} characters"
        return Trouble("/reason", expected, fields["reason"][:100])
    except HoldMalformed as refusal:
        field, expected = refusal.facts["field"], str(refusal.facts["expected"])
        return Trouble(f"/{field}", expected, fields.get(str(field), fields["what"])[:100])


def _to(hold: UUID) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("hold", args=[hold]))
