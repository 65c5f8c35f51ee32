"""Logging in and out: a browser's session for a person with a name and password."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.contrib import auth
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from access.errors import LoginFailed, TooManyAttempts
from access.usecases.admit_person import admit_person
from access.usecases.prove_password import prove_password
from access.wiring import other_login
from console.answers import actor_of, page, show
from kernel.actor import Permission, PermissionMissing
from kernel.problems import STATUS
from kernel.rest import MalformedRequest, NotFound, who_tries

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from access.ports import OtherLogin
    from kernel.errors import Refusal

PASSWORDS = "django.contrib.auth.backends.ModelBackend"


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@page
def log_in(request: HttpRequest) -> HttpResponse:
    """Begin a session, and go on to where one wanted to be."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(wanted(request))
    if request.method != "POST":
        return form(request)
    username, password = request.POST.get("username", ""), request.POST.get("password", "")
    if "\x00" in username + password:
        raise MalformedRequest(expected="a name and a password")
    try:
        person = prove_password(
            username=username, password=password, address=who_tries(request), now=timezone.now()
        )
    except (LoginFailed, TooManyAttempts) as refusal:
        return form(request, refusal)
    auth.login(request, person, backend=PASSWORDS)
    return HttpResponseRedirect(wanted(request))


@require_safe
@page
def log_in_as_staff(request: HttpRequest) -> HttpResponse:
    """Whom the staff pages turn away: to the one login, or told that they are not staff."""
    if request.user.is_authenticated and not request.user.is_staff:
        raise PermissionMissing(permission=Permission.ADMINISTER, actor=actor_of(request).name)
    target = own_path(request.GET.get("next") or reverse("admin:index"))
    return HttpResponseRedirect(f"{reverse('login')}?{urlencode({'next': target})}")


@require_POST
@page
def login_oidc(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider.

    By a page of ours and not by a redirect: browsers hold a form's redirects against the policy of
    the page that it was on, and where a provider leads to next nobody can know.
    """
    target = _other_login().begin(request, next_path=wanted(request))
    response = show(request, "console/leaving.html", {"target": target})
    response["Cache-Control"] = "no-store"
    response["Refresh"] = f"0; url={target}"
    return response


@require_GET
@page
def login_oidc_callback(request: HttpRequest) -> HttpResponse:
    """Begin a session for whom the provider has proven to be there."""
    login = _other_login()
    proven = login.finish(request)
    person = admit_person(
        person=proven.person,
        admits_new_people=login.provider.admits_new_people,
        now=timezone.now(),
    )
    auth.login(request, person, backend=PASSWORDS)
    return HttpResponseRedirect(own_path(proven.next_path))


@require_http_methods(["GET", "HEAD", "POST"])
@page
def log_out(request: HttpRequest) -> HttpResponse:
    """End the session. Asked first: a link that somebody else made must not do it."""
    if request.method != "POST" and request.user.is_authenticated:
        return show(request, "console/logout.html", {})
    auth.logout(request)
    return HttpResponseRedirect(reverse("home"))


def form(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    """The page to log in on, with why it did not work."""
    content = {
        "next": wanted(request),
        "other": login.provider.name if (login := other_login()) is not None else "",
        "username": request.POST.get("username", ""),
        "refusal": refusal.title() if refusal is not None else "",
        "wait_seconds": refusal.facts.get("retry_after_seconds") if refusal is not None else None,
    }
    status = STATUS[refusal.kind] if refusal is not None else 200
    response = show(request, "console/login.html", content, status=status)
    response["Cache-Control"] = "no-store"
    return response


def wanted(request: HttpRequest) -> str:
    """Where to go after a login, as the address or the form says."""
    return own_path(request.POST.get("next") or request.GET.get("next") or "")


def own_path(path: str) -> str:
    """A path of this store and nothing else, or the front page."""
    is_ours = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return path if is_ours and not path.startswith(reverse("login")) else reverse("home")


def _other_login() -> OtherLogin:
    found = other_login()
    if found is None:
        raise NotFound
    return found
