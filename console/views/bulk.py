"""Many files at once: asked for, seen in numbers, started by name, watched and cancelled."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from artifacts.domain.bulk import Act, BulkActionDiffers, MalformedSelection, Outcome
from artifacts.domain.fates import ListForgotten
from artifacts.queries import visible_project
from artifacts.queries.bulk_actions import (
    MOST_ACTIONS,
    bulk_actions_of,
    items_of_bulk_action,
    run_of_bulk_action,
    visible_bulk_action,
)
from artifacts.queries.fates import forgotten_among, forgotten_at
from artifacts.queries.positions import encode_cursor, row_behind, row_number
from artifacts.queries.retention import Holder
from artifacts.usecases.ask_bulk_action import ask_bulk_action
from artifacts.usecases.cancel_bulk_action import cancel_bulk_action
from artifacts.usecases.start_bulk_action import Confirmation, start_bulk_action
from artifacts.wiring import trash_window
from console.administration import Place, administered, members_only, show_place
from console.asking import asked, pages
from console.bulk import ACTS, FIELDS, LEFT, OUTCOMES, counted, selection_of, sentences_of, standing
from console.confirming import answers
from console.troubles import Trouble
from kernel.rest import MalformedRequest, choice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from artifacts.models import BulkAction, BulkActionItem, Project
    from console.confirming import Answers
    from kernel.actor import Actor

PAGE_ITEMS: Final = 50


@require_http_methods(["GET", "HEAD", "POST"])
@administered
def many(request: HttpRequest, actor: Actor, place: Place) -> HttpResponse:
    """What was asked for last in the project; a form asks for another."""
    project = visible_project(actor=actor, **place.names)
    fields, trouble = _fields(request), None
    if request.method == "POST":
        made = _ask(project, fields, actor)
        if not isinstance(made, Trouble):
            return _to(made.pk)
        trouble = made
    found = bulk_actions_of(project, actor=actor)
    forgotten = forgotten_among(found)
    content = {
        "fields": fields,
        "trouble": trouble,
        "acts": [(act.value, words) for act, words in ACTS.items()],
        "outcomes": OUTCOMES,
        "found": [
            (
                one,
                ACTS[Act(one.act)],
                standing(run_of_bulk_action(one), is_forgotten=one.pk in forgotten),
            )
            for one in found
        ],
        "most": MOST_ACTIONS,
    }
    template, status = "console/administration/many.html", 422 if trouble else 200
    return show_place(request, template, place, content, tab="bulk", status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def bulk_action(request: HttpRequest, actor: Actor, action: UUID) -> HttpResponse:
    """What it would do, in numbers and file by file; a form starts it, and then how far it is."""
    found = visible_bulk_action(actor=actor, action=action)
    given = answers(request, name=str(found.project))
    if not given.is_complete:
        return _show(request, actor, found, given)
    confirmed = Confirmation(given.written, _number(request), given.reason)
    try:
        with suppress(ListForgotten):  # its page says so
            start_bulk_action(action=found, confirmed=confirmed, actor=actor, now=timezone.now())
    except BulkActionDiffers as refusal:
        return _show(request, actor, found, given, differs=refusal)
    return _to(found.pk)


@require_POST
@members_only
def cancel(request: HttpRequest, actor: Actor, action: UUID) -> HttpResponse:
    """End it behind the batch that is under way."""
    del request
    found = visible_bulk_action(actor=actor, action=action)
    cancel_bulk_action(action=found, actor=actor, now=timezone.now())
    return _to(found.pk)


def _show(
    request: HttpRequest,
    actor: Actor,
    found: BulkAction,
    given: Answers,
    *,
    differs: BulkActionDiffers | None = None,
) -> HttpResponse:
    """`differs` has the numbers of now, where those that were shown are others."""
    act, run = Act(found.act), run_of_bulk_action(found)
    expected: Any = differs.facts["expected"] if differs is not None else found.expected
    outcomes = run.outcomes if run is not None else expected
    place = Place.of(Holder.of_project(found.project), actor=actor)
    words, gone_at = ACTS[act], forgotten_at(found)
    content = {
        "action": found,
        "run": run,
        "words": words,
        "standing": standing(run, is_forgotten=gone_at is not None),
        "forgotten_at": gone_at,
        "sentences": sentences_of(found.selection),
        "counted": counted(act, outcomes),
        "artifacts": expected.get(Outcome.DONE, 0),
        "total": sum(found.expected.values()),
        "differs": differs,
        "answers": given,
        "days": trash_window().days,
        "here": f"{words.label} many, {found.asked_at:%Y-%m-%d %H:%M} UTC",
        "back": place.url("bulk"),
        **_items(request, found, act),
    }
    status = 422 if given.is_sent else 200
    template = "console/administration/bulk_action.html"
    return show_place(request, template, place, content, tab="bulk", status=status)


def _items(request: HttpRequest, found: BulkAction, act: Act) -> dict[str, Any]:
    given = asked(request, "cursor", "outcome")
    items: list[BulkActionItem] = []
    with suppress(ListForgotten):  # the page says so
        items = items_of_bulk_action(
            row_behind(given.get("cursor")),
            action=found,
            limit=PAGE_ITEMS + 1,
            outcome=choice(given, "outcome", Outcome),
        )
    shown = items[:PAGE_ITEMS]
    words = {Outcome.DONE: ACTS[act].done, **LEFT}
    return {
        "items": [(one, words[_outcome(one)]) for one in shown],
        "outcomes": [(one.value, word) for one, word in words.items()],
        "given": given,
        "pages": pages(given, encode_cursor(shown[-1].pk) if len(items) > PAGE_ITEMS else None),
    }


def _outcome(item: BulkActionItem) -> Outcome:
    """What came of it; as long as nothing did, what would come of it."""
    result = getattr(item, "result", None)
    return Outcome(result.outcome if result is not None else item.expected)


def _fields(request: HttpRequest) -> dict[str, str]:
    """What the form has sent, or what the link to it names."""
    sent = request.POST if request.method == "POST" else request.GET
    fields = {name: sent.get(name, "").strip() for name in ("act", *FIELDS)}
    if any("\x00" in one for one in fields.values()):
        raise MalformedRequest(expected="readable text")
    return fields


def _ask(project: Project, fields: Mapping[str, str], actor: Actor) -> BulkAction | Trouble:
    if fields["act"] not in set(Act):
        return Trouble("/act", "one of " + ", ".join(Act), fields["act"][:100])
    selection = selection_of(fields)
    if isinstance(selection, Trouble):
        return selection
    try:
        return ask_bulk_action(
            project=project,
            act=Act(fields["act"]),
            selection=selection,
            actor=actor,
            now=timezone.now(),
        )
    except MalformedSelection as refusal:
        facts = {name: str(refusal.facts[name]) for name in ("place", "expected", "found")}
        return Trouble(**facts)


def _number(request: HttpRequest) -> int:
    """How many files the form had said that it would be done to.

    Raises:
        MalformedRequest: no form of ours has sent that.
    """
    text = request.POST.get("artifacts", "")
    try:
        return row_number(text)
    except ValueError as error:
        raise MalformedRequest(parameter="artifacts", expected="a number") from error


def _to(action: UUID) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("bulk_action", args=[action]))
