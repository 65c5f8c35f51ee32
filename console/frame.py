"""What the frame around every page knows, on pages of other apps too."""

from typing import Any

from django.http import HttpRequest

from console.administration import administers_something
from console.answers import actor_of, login_url


def frame(request: HttpRequest) -> dict[str, Any]:
    """Who is there, if the page wants to know: nobody is looked up before the template asks."""
    return {
        "who": getattr(request, "user", None),
        "login_url": login_url(request),
        "administers": lambda: administers_something(actor_of(request)),
    }
