"""Reconciliation: what the store's place holds compared with the rows, and repairing it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from artifacts import wiring
from artifacts.domain.reconciliation import WORDS, Difference
from artifacts.queries.positions import encode_cursor, row_behind
from artifacts.queries.reconciling import (
    damaged_blobs,
    differences_after,
    listed_differences,
    newest_damaged,
    newest_reconciliations,
    reconciliation,
    repair_of,
    scrub,
)
from artifacts.queries.retention import Holder
from artifacts.usecases.ask_repair import ask_repair
from artifacts.usecases.reconcile_store import MOST_ROWS
from artifacts.usecases.repair_store import MOST_AGE
from console.administration import Place, administered, members_only, show_place
from console.asking import asked, pages
from console.confirming import answers
from kernel.actor import Permission
from kernel.audit.asking import because
from kernel.rest import NotFound, choice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from artifacts.models import Reconciliation
    from kernel.actor import Actor

MOST_REPORTS: Final = 30
MOST_DAMAGED: Final = 50
PAGE_DIFFERENCES: Final = 50


@require_safe
@administered
def reports(request: HttpRequest, actor: Actor, place: Place) -> HttpResponse:
    """The newest comparisons, how far the scrub is, and what is known to be damaged."""
    del actor
    found = newest_reconciliations(place=wiring.probed_place(), most=MOST_REPORTS)
    round_of = scrub()
    whole = found[0].totals.get("blob_bytes", 0) if found else 0
    content = {
        "reports": [(one, _differences(one)) for one in found],
        "scrub": round_of,
        "scrub_rate": wiring.scrub_rate(),
        "scrub_of": max(whole, round_of.size_bytes),
        "damaged": newest_damaged(most=MOST_DAMAGED),
        "damaged_count": damaged_blobs(),
    }
    return show_place(
        request, "console/administration/reconciliation.html", place, content, tab="reconciliation"
    )


@require_safe
@members_only
def report(request: HttpRequest, actor: Actor, report: UUID) -> HttpResponse:
    """One comparison: each kind of difference with what it costs, then one by one."""
    found = _found(actor, report)
    given = asked(request, "cursor", "difference")
    difference = choice(given, "difference", Difference)
    rows = differences_after(
        row_behind(given.get("cursor")),
        report=found,
        difference=difference,
        limit=PAGE_DIFFERENCES + 1,
    )
    shown = rows[:PAGE_DIFFERENCES]
    content = {
        "differences": [(one, WORDS[Difference(one.difference)][0]) for one in shown],
        "words": [(one.value, words) for one, (words, _remedy) in WORDS.items()],
        "given": given,
        "pages": pages(
            given, encode_cursor(shown[-1].pk) if len(rows) > PAGE_DIFFERENCES else None
        ),
        "most_rows": MOST_ROWS,
    }
    return _show(request, actor, found, "console/administration/report.html", content)


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def repair(request: HttpRequest, actor: Actor, report: UUID) -> HttpResponse:
    """What a repair would do, in numbers; and asking for it for a reason, by the bytes' place."""
    found = _found(actor, report)
    given = answers(request, name=found.place)
    if given.is_complete:
        with because(given.reason):
            ask_repair(report=found, actor=actor, now=timezone.now())
        return HttpResponseRedirect(reverse("reconciliation_report", args=[found.pk]))
    return _show(
        request,
        actor,
        found,
        "console/administration/repair.html",
        {"answers": given, "here": "Repair"},
        status=422 if given.is_sent else 200,
    )


def _found(actor: Actor, report: UUID) -> Reconciliation:
    """The report, for administrators of the instance.

    Raises:
        Unauthenticated, PermissionMissing: the actor is none.
        NotFound: there is no such report.
    """
    actor.require(Permission.ADMINISTER, project=None)
    found = reconciliation(report)
    if found is None:
        raise NotFound
    return found


def _differences(report: Reconciliation) -> int:
    return sum(counted["count"] for counted in report.counts.values())


def _show(
    request: HttpRequest,
    actor: Actor,
    report: Reconciliation,
    template: str,
    content: Mapping[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    place = Place.of(Holder.instance(), actor=actor)
    total = _differences(report)
    asked_for = repair_of(report)
    is_fresh = timezone.now() - report.started_at <= MOST_AGE
    frame = {
        "report": report,
        "total": total,
        "kinds": [
            (words, remedy, report.counts[one]["count"], report.counts[one]["bytes"])
            for one, (words, remedy) in WORDS.items()
        ],
        "repair": asked_for,
        "listed": listed_differences(report) if asked_for is not None else None,
        "can_repair": bool(total) and asked_for is None and is_fresh,
        "is_fresh": is_fresh,
        "here": f"Comparison of {report.started_at:%Y-%m-%d %H:%M} UTC",
        "back": place.url("reconciliation"),
    }
    return show_place(
        request, template, place, {**frame, **content}, tab="reconciliation", status=status
    )
