"""Pages of long lists: an opaque cursor, and a Link to the next page (RFC 8288)."""

import base64
import binascii
from urllib.parse import urlencode

from rest_framework.request import Request

from kernel.rest import MalformedRequest

PAGE_ROWS = 100


def cursor_of(request: Request) -> str | None:
    """The place that the request wants to go on behind; None is the first page.

    Raises:
        MalformedRequest: it is no cursor of ours.
    """
    given = request.query_params.get("cursor")
    if given is None:
        return None
    try:
        text = base64.b64decode(given + "=" * (-len(given) % 4), b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        text = "\0"
    if "\0" in text:
        raise MalformedRequest(parameter="cursor", found=given[:200])
    return text


def next_link(request: Request, url: str, behind: str) -> str:
    """The value of a Link header that leads on behind this place, with the same filters."""
    parameters = {name: request.query_params[name] for name in request.query_params}
    parameters["cursor"] = base64.urlsafe_b64encode(behind.encode()).decode().rstrip("=")
    return f'<{url}?{urlencode(parameters)}>; rel="next"'
