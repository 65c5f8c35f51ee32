"""Changing one's own password: the staff's too, and the way out of a one-time one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import auth
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from access.errors import LoginFailed, PasswordNotAllowed, TooManyAttempts
from access.usecases.change_password import change_password
from console.answers import actor_of, login_url, page, show
from console.views.sessions import wanted
from kernel.problems import STATUS
from kernel.rest import MalformedRequest, who_tries

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from kernel.errors import Refusal


@sensitive_post_parameters("current", "new", "repeated")
@require_http_methods(["GET", "HEAD", "POST"])
@page
def change(request: HttpRequest) -> HttpResponse:
    """Take another password: every other session of the person ends, this one goes on."""
    if not request.user.is_authenticated:
        return HttpResponseRedirect(login_url(request))
    if request.method != "POST":
        return _form(request)
    current, new = request.POST.get("current", ""), request.POST.get("new", "")
    if "\x00" in current + new:
        raise MalformedRequest(expected="the current password and a new one")
    try:
        _require_same(new, request.POST.get("repeated", ""))
        person = change_password(
            current=current,
            new=new,
            address=who_tries(request),
            actor=actor_of(request),
            now=timezone.now(),
        )
    except (LoginFailed, PasswordNotAllowed, TooManyAttempts) as refusal:
        return _form(request, refusal)
    auth.update_session_auth_hash(request, person)
    return HttpResponseRedirect(wanted(request))


@require_safe
@page
def change_as_staff(_request: HttpRequest) -> HttpResponse:
    """Where the staff pages' menu leads."""
    return HttpResponseRedirect(f"{reverse('password')}?next={reverse('admin:index')}")


def _require_same(new: str, repeated: str) -> None:
    if new != repeated:
        raise PasswordNotAllowed(reasons=["The two new ones differ."])


def _form(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    """The page to change it on, with why it did not work."""
    content = {
        "next": wanted(request),
        "is_current_wrong": isinstance(refusal, LoginFailed),
        "refusal": refusal.title() if refusal is not None else "",
        "reasons": refusal.facts.get("reasons", ()) if refusal is not None else (),
        "wait_seconds": refusal.facts.get("retry_after_seconds") if refusal is not None else None,
    }
    status = STATUS[refusal.kind] if refusal is not None else 200
    response = show(request, "console/password.html", content, status=status)
    response["Cache-Control"] = "no-store"
    return response
