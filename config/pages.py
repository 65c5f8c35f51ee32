"""The front page, the problem pages, and problem documents where no view of ours was reached."""

import sys
from functools import cache
from pathlib import Path
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt

from kernel.errors import Refusal, all_refusals
from kernel.problems import STATUS
from kernel.rest import MalformedRequest, NotFound, problem_response, refusal_of
from provenance.domain.platforms import FORMS, build_type
from provenance.queries import trust_map, trust_state

PROBLEMS: Final = Path(__file__).resolve().parent.parent / "docs" / "problems"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What this is, how to check it, and where the rest stands."""
    granted = trust_map(version=trust_state().trust_map_version, key_is_shared=False)
    builders = sorted((who, level.value) for who, level in granted.levels.items())
    content = {
        "public_url": settings.PUBLIC_URL,
        "build_types": [build_type(form, base_url=settings.PUBLIC_URL) for form in FORMS.values()],
        "builders": builders,
    }
    return render(request, "strongroom/home.html", content)


@require_safe
def problem_index(request: HttpRequest) -> HttpResponse:
    """Every problem code with its status and sentence."""
    rows = "".join(_problem_row(refusal) for refusal in all_refusals())
    text = f"# Problem codes\n\n| code | status | what it says |\n|---|---|---|\n{rows}"
    content = {"title": "Problem codes", "body": _html(text)}
    return render(request, "strongroom/document.html", content)


def _problem_row(refusal: type[Refusal]) -> str:
    link = f"[{refusal.code}](/problems/{refusal.code})"
    return f"| {link} | {STATUS[refusal.kind]} | {refusal.title()} |\n"


@require_safe
def problem_page(request: HttpRequest, code: str) -> HttpResponse:
    """What happened and what to do, for the `type` of a problem document."""
    if code not in {refusal.code for refusal in all_refusals()}:
        return problem_response(NotFound(), request)
    content = {"title": code, "body": _problem_html(code)}
    return render(request, "strongroom/document.html", content)


@cache
def _problem_html(code: str) -> SafeString:
    return _html((PROBLEMS / f"{code}.md").read_text())


def _html(text: str) -> SafeString:
    """Render Markdown of ours; raw HTML in it stays text."""
    renderer = MarkdownIt("commonmark", {"html": False}).enable("table")
    rendered: str = renderer.render(text)
    return mark_safe(rendered)  # noqa: S308 - our own files, raw HTML switched off


def not_found(request: HttpRequest, exception: Exception) -> JsonResponse:
    """No address of ours."""
    del exception
    return problem_response(NotFound(), request)


def bad_request(request: HttpRequest, exception: Exception) -> JsonResponse:
    """A request that Django itself would not read."""
    return problem_response(MalformedRequest(detail=type(exception).__name__), request)


def unexpected(request: HttpRequest) -> JsonResponse:
    """An error that no view of ours translated; Django calls this while handling it."""
    return problem_response(refusal_of(sys.exc_info()[1]), request)
