"""The audit trail: who did what to what, when, what it was before, and why."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from django.views.decorators.http import require_safe

from artifacts.domain.retention import Level
from artifacts.queries.positions import decode_cursor, encode_cursor, row_number
from console.administration import administered, show_place
from console.asking import asked, pages
from console.trail import told
from kernel.audit.queries import Wanted, records
from kernel.audit.seal import last_seal
from kernel.rest import MalformedRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from console.administration import Place
    from kernel.actor import Actor

PAGE_RECORDS: Final = 50
_EXACT: Final = ("actor", "action", "target", "address")
_DAYS: Final = ("since", "until")


@require_safe
@administered
def audit(request: HttpRequest, actor: Actor, place: Place) -> HttpResponse:
    """The records of the place, newest first; each filter is exact, days are whole and in UTC."""
    del actor
    given = asked(request, *_EXACT, *_DAYS, "cursor")
    after = decode_cursor(given.get("cursor"), row_number)
    exact = {name: given[name] for name in _EXACT if name in given}
    since, until = _midnight(given, "since", days=0), _midnight(given, "until", days=1)
    wanted = Wanted(
        organizations=None if place.holder.level is Level.INSTANCE else {place.holder.scope},
        since=since,
        until=until,
        before_id=after[0] if after is not None else None,
        **exact,
    )
    limits = {"since": since, "until": until}
    days = {name: day.isoformat() for name, day in limits.items() if day is not None}
    export = urlencode([*place.names.items(), *exact.items(), *days.items()])
    found = list(records(wanted)[: PAGE_RECORDS + 1])
    shown = found[:PAGE_RECORDS]
    content = {
        "records": [(one, told(one.facts)) for one in shown],
        "given": given,
        "is_narrowed": bool(given.keys() - {"cursor"}),
        "pages": pages(given, encode_cursor(shown[-1].pk) if len(found) > PAGE_RECORDS else None),
        "seal": last_seal(),
        "export": f"/api/v1/audit/export?{export}&format=",
    }
    return show_place(request, "console/administration/audit.html", place, content, tab="audit")


def _midnight(given: Mapping[str, str], name: str, *, days: int) -> datetime | None:
    """The beginning of the day, or of one so many days later.

    Raises:
        MalformedRequest: it is no day.
    """
    if name not in given:
        return None
    try:
        day = date.fromisoformat(given[name]) + timedelta(days=days)
    except (ValueError, OverflowError) as error:
        raise MalformedRequest(parameter=name, expected="a day: 2026-11-21") from error
    return datetime.combine(day, time(), UTC)
