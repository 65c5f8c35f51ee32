"""The signing queue: what waits for its statement, why, until when; and trying it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from artifacts.queries.retention import names_of_scopes
from console.administration import administered, show_place
from console.asking import asked
from console.explanations import codes
from kernel.actor import Permission
from kernel.rest import MalformedRequest
from provenance.queries import (
    WaitingReason,
    waiting_for,
    waiting_reasons,
    waiting_requests,
)
from provenance.usecases.retry_attestations import retry_attestations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from console.administration import Place
    from kernel.actor import Actor

MOST_SHOWN: Final = 50
# So many are made due by one press: the worker takes batches, and the page says what is left.
MOST_TRIED: Final = 1000


@require_http_methods(["GET", "HEAD", "POST"])
@administered
def signing(request: HttpRequest, actor: Actor, place: Place) -> HttpResponse:
    """The queue by reason and those that have waited longest; forms make them due."""
    actor.require(Permission.ADMINISTER, project=None)
    reasons = waiting_reasons()
    if request.method == "POST":
        chosen = _chosen(request, reasons)
        tried = retry_attestations(requests=chosen, actor=actor, now=timezone.now())
        query = urlencode({"tried": tried, "of": len(chosen)})
        return HttpResponseRedirect(f"{place.url('signing')}?{query}")
    given = asked(request, "tried", "of")
    oldest = waiting_requests(size=MOST_SHOWN)
    names = names_of_scopes(one.project for one in oldest)
    content = {
        "waiting": sum(one.count for one in reasons),
        "reasons": [(one, _key(one), _title(one.last_error)) for one in reasons],
        "oldest": [
            (one, names.get(one.project, ""), _code(one.status.last_error)) for one in oldest
        ],
        "tried": given if all(given.get(one, "").isdecimal() for one in ("tried", "of")) else None,
        "most_tried": MOST_TRIED,
    }
    return show_place(request, "console/administration/signing.html", place, content, tab="signing")


def _chosen(request: HttpRequest, reasons: Sequence[WaitingReason]) -> list[UUID]:
    """One request, or those of the reason at this place in the list.

    Raises:
        MalformedRequest: it is neither.
    """
    written = request.POST.get("request", "")
    if not written:
        reason = next((one for one in reasons if _key(one) == request.POST.get("reason")), None)
        # What has been signed in the meantime waits for nothing: then there is nobody to try.
        return waiting_for(reason, most=MOST_TRIED) if reason is not None else []
    try:
        return [UUID(written)]
    except ValueError as error:
        raise MalformedRequest(parameter="request", expected="a request's id") from error


def _key(reason: WaitingReason) -> str:
    """What names the reason in a form."""
    return "|".join(one or "" for one in (reason.last_error, reason.service, reason.reason))


def _title(code: str | None) -> str:
    known = codes().get(code or "")
    return known.title() if known is not None else ""


def _code(error: dict[str, object] | None) -> str:
    code = str((error or {}).get("code", ""))
    return code if code in codes() else ""
