"""How pages answer: who asks, one frame, strict headers, and every refusal as a page."""

import sys
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from access.usecases.act_as import act_as
from console.explanations import explanation
from kernel.actor import ANONYMOUS, Actor
from kernel.errors import Kind, Refusal
from kernel.problems import STATUS, problem
from kernel.rest import (
    MalformedRequest,
    NotFound,
    accepts_pages,
    problem_response,
    refusal_of,
)

# Everything that a page needs comes from the store itself, and nothing stands inside the page.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Where even asking who is there could fail once more.
_BROKEN: Final = frozenset({Kind.UNAVAILABLE, Kind.UNEXPECTED, Kind.NO_SPACE})
_MACHINES: Final = ("/api/", "/_/", "/.well-known/", "/log/", "/metrics", "/healthz", "/readyz")

Given = ParamSpec("Given")
View = Callable[Concatenate[HttpRequest, Given], HttpResponseBase]


def actor_of(request: HttpRequest) -> Actor:
    """The person of the browser's session as they are now, or ANONYMOUS."""
    return act_as(person=request.user) if request.user.is_authenticated else ANONYMOUS


def page(view: View[Given]) -> View[Given]:
    """Answer refusals as pages; what nobody anticipated goes to the handler of such errors."""

    @wraps(view)
    def answer(
        request: HttpRequest, /, *args: Given.args, **kwargs: Given.kwargs
    ) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except Refusal as refusal:
            return refused(request, refusal)

    return answer


def show(
    request: HttpRequest, template: str, content: Mapping[str, Any], *, status: int = 200
) -> HttpResponse:
    """A page of ours. It is about the one who asks: no cache between us and them keeps it."""
    response = render(request, template, dict(content), status=status)
    response["Content-Security-Policy"] = POLICY
    response["Cache-Control"] = "private, no-cache"
    return response


def refused(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """The refusal as a page: what it says, what was observed, what to do."""
    facts = problem(refusal, pages=reverse("problems"))
    content: dict[str, Any] = {
        "title": refusal.title(),
        "code": refusal.code,
        "status": STATUS[refusal.kind],
        "facts": _plain(facts),
        "explanation": explanation(refusal.code),
        "is_missing": refusal.kind is Kind.NOT_FOUND,
        "is_broken": refusal.kind in _BROKEN,
    }
    if refusal.kind in _BROKEN:
        content["who"] = None
    response = show(request, "console/refused.html", content, status=STATUS[refusal.kind])
    response["Cache-Control"] = "no-store"
    if "retry_after_seconds" in refusal.facts:
        response["Retry-After"] = str(refusal.facts["retry_after_seconds"])
    return response


def login_url(request: HttpRequest) -> str:
    """Where to log in, and to come back from to here."""
    return f"{reverse('login')}?{urlencode({'next': request.get_full_path()})}"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """No address of ours."""
    del exception
    return page_or_document(request, NotFound())


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request that Django itself would not read."""
    return page_or_document(request, MalformedRequest(detail=type(exception).__name__))


def unexpected(request: HttpRequest) -> HttpResponse:
    """An error that no view of ours translated; Django calls this while handling it."""
    return page_or_document(request, refusal_of(sys.exc_info()[1]))


def page_or_document(request: HttpRequest, refusal: Refusal) -> HttpResponse | JsonResponse:
    """A page for whoever browses, else the problem document."""
    if accepts_pages(request) and not request.path.startswith(_MACHINES):
        return refused(request, refusal)
    return problem_response(refusal, request)


def _plain(document: Mapping[str, object]) -> list[tuple[str, object]]:
    """The observed facts that fit on a line."""
    known = {"type", "title", "status", "code", "instance"}
    lines = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in document.items()
    }
    return [
        (name.replace("_", " "), value)
        for name, value in lines.items()
        if name not in known and isinstance(value, str | int | float) and value != ""
    ]
