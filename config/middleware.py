"""Around every request: a request id in logs and answers, one log line, and one-time passwords."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from functools import partial
from typing import Final
from urllib.parse import unquote, urlencode

import structlog
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from access.usecases.act_as import act_as
from artifacts.wiring import address_of
from kernel.audit.asking import asked

logger = logging.getLogger("strongroom.request")

REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{8,64}")
Handler = Callable[[HttpRequest], HttpResponseBase]


class RequestContext:
    """Gives each request an id (the caller's, if it is well formed) that follows the work."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started = time.monotonic()
        with asked(address=address_of(request.META) or "", reason=_reason(request)):
            response = self._get_response(request)
        response["X-Request-ID"] = request_id
        logger.info(
            "request",
            extra={
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "seconds": round(time.monotonic() - started, 4),
            },
        )
        return response


def _reason(request: HttpRequest) -> str:
    """Why the asker wants it, for the audit trail; without what no line of text has.

    A header has ASCII: the web server makes nothing of a value with other bytes, without a word.
    """
    text = unquote(request.headers.get("Strongroom-Reason", ""))
    return "".join(letter for letter in text if letter.isprintable()).strip()


class OneTimePassword:
    """Lets a person with a one-time password do nothing but choose their own."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if getattr(request.user, "must_change_password", False):
            open_paths = {reverse("password"), reverse("logout"), reverse("admin:logout")}
            if request.path not in open_paths:
                wanted = urlencode({"next": request.get_full_path()})
                return HttpResponseRedirect(f"{reverse('password')}?{wanted}")
        return self._get_response(request)


class StaffActor:
    """Says who sits at the browser, when a page of ours asks: looked up then, and not before."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        person = request.user
        if person.is_authenticated and person.is_staff:
            request.staff_actor = partial(act_as, person=person)  # type: ignore[attr-defined] # ours
        return self._get_response(request)
