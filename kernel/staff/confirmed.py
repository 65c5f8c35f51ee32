"""What staff change: a page that says in numbers what will happen, then a use case does it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.html import format_html

from kernel.actor import ANONYMOUS, Actor
from kernel.errors import Refusal

if TYPE_CHECKING:
    from django import forms

    from kernel.staff.pages import ReadOnly


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody is asked before something is done.

    `effects` say what it will do, in numbers. `back` is where it came from and returns to;
    `chosen` the rows that were ticked in a list, with the name of the list's action.
    """

    title: str
    effects: Sequence[str]
    button: str
    back: str
    is_grave: bool = False
    action: str = ""
    chosen: Sequence[str] = ()


def staff_actor(request: HttpRequest) -> Actor:
    """Who sits at the browser, as the assembly's middleware has found out."""
    actor = getattr(request, "staff_actor", None)
    return actor() if actor is not None else ANONYMOUS


def confirm(
    admin: "ReadOnly",
    request: HttpRequest,
    question: Question,
    do: Callable[[Any], str],
    form: "forms.Form | None" = None,
) -> HttpResponse:
    """Ask first; once confirmed, do it and go back with what it said, or with the refusal.

    `do` gets what was filled in, calls the use case, and says in a sentence what was done.
    """
    is_confirmed = request.method == "POST" and "confirmed" in request.POST
    if is_confirmed and (form is None or form.is_valid()):
        try:
            done = do(form.cleaned_data if form is not None else {})
        except Refusal as refusal:
            messages.error(request, _told(refusal))
        else:
            messages.success(request, done)
        return HttpResponseRedirect(question.back)
    content = {
        **admin.admin_site.each_context(request),
        "title": question.title,
        "opts": admin.opts,
        "question": question,
        "form": form,
    }
    return TemplateResponse(request, "staff/confirm.html", content)


def show_refusal(request: HttpRequest, refusal: Refusal) -> None:
    """Say that something was refused, with its page."""
    messages.error(request, _told(refusal))


def _told(refusal: Refusal) -> str:
    facts = ", ".join(f"{name}: {fact}" for name, fact in refusal.facts.items())
    return format_html(
        '{} {} <a href="/problems/{}" class="underline">What to do: {}</a>',
        refusal.title(),
        f"({facts})" if facts else "",
        refusal.code,
        refusal.code,
    )
