"""Storage: where the bytes are, how old, what would go next, and how it grew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.views.decorators.http import require_safe

from artifacts import wiring
from artifacts.domain.quota import Use
from artifacts.domain.retention import Level
from artifacts.queries.reconciling import last_reconciliation
from artifacts.queries.retention_plans import plans_of
from artifacts.queries.storage import growth_of, largest_of, newest_storage, storage_of_parts
from artifacts.usecases.measure_storage import MOST_REFS
from console.administration import administered, show_place
from console.asking import asked
from console.charts import History, Part, bars, by_age, sum_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from artifacts.models import StorageDay
    from console.administration import Place
    from kernel.actor import Actor

MOST_PARTS: Final = 100
GROWTH_DAYS: Final = 90
_PARTS: Final = {
    Level.INSTANCE: "organization",
    Level.ORGANIZATION: "project",
    Level.PROJECT: "ref",
}
_WITHOUT_REF: Final = "without a ref"


@require_safe
@administered
def storage(request: HttpRequest, actor: Actor, place: Place) -> HttpResponse:
    """What was measured last, down to the ages of one ref's bytes; nothing is counted here."""
    del actor
    given = asked(request, "ref")
    whole = newest_storage(place.holder.scope)
    is_store = place.holder.level is Level.INSTANCE
    content: dict[str, Any] = {"whole": whole, "part": _PARTS[place.holder.level]}
    if whole is not None:
        refs = dict(whole.refs)
        ref = given.get("ref", "")
        is_of_ref = "ref" in request.GET and ref in refs
        ages = refs[ref] if is_of_ref else whole.ages
        growth = growth_of(whole.subject, days=GROWTH_DAYS)
        content |= {
            "ref": (ref or _WITHOUT_REF) if is_of_ref else "",
            "use": sum_of(ages) if is_of_ref else use_of(whole),
            "parts": bars(_parts(whole, place)),
            "most_parts": MOST_REFS if place.holder.level is Level.PROJECT else MOST_PARTS,
            "ages": by_age(ages),
            "largest": largest_of(whole),
            "history": History.of([(one.day, use_of(one)) for one in growth]),
            "plan": next(iter(plans_of(place.holder)), None),
            "plans_url": place.url("plans"),
            "reconciliation_url": reverse("administer_reconciliation"),
            "report": last_reconciliation(place=wiring.probed_place()) if is_store else None,
        }
    return show_place(request, "console/administration/storage.html", place, content, tab="storage")


def use_of(day: StorageDay) -> Use:
    """What there was, as quotas count it."""
    return Use(day.files, day.logical_bytes, day.physical_bytes)


def _parts(whole: StorageDay, place: Place) -> list[Part]:
    if place.holder.level is Level.PROJECT:
        return [
            Part(ref or _WITHOUT_REF, sum_of(ages), f"?{urlencode({'ref': ref})}")
            for ref, ages in whole.refs
        ]
    below = [*place.names.values()]
    words = ("organization", "project")
    return [
        Part(
            slug,
            use_of(one),
            reverse("administer_storage", kwargs=dict(zip(words, (*below, slug), strict=False))),
            one.pending_free_bytes,
        )
        for slug, one in storage_of_parts(whole, limit=MOST_PARTS)
    ]
