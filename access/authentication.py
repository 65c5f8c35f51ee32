"""The DRF authenticator that turns credentials into an Actor, once, at the edge.

A request that brings credentials is answered as their owner or refused; it never falls back to
being anonymous, or a mistyped token would look like a missing project.
"""

import base64
import binascii
from typing import Final

from django.utils import timezone
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request

from access.errors import CsrfFailed, TokenMalformed
from access.models import User
from access.usecases.act_as import act_as
from access.usecases.authenticate import authenticate
from kernel.actor import Actor

# The user name that goes with a token where a client only knows user and password: curl -u,
# netrc, twine.
TOKEN_USER: Final = "__token__"  # noqa: S105 - a user's name, and a public one
_EXPECTED: Final = f"Bearer <token>, or Basic with user {TOKEN_USER} and the token as password"


class TokenAuthentication(BaseAuthentication):
    """A token of the store in `Authorization`, else the session of a person who logged in."""

    def authenticate(self, request: Request) -> tuple[User | None, Actor] | None:
        """Give (person or None, actor); None when the request brings nothing at all.

        Raises:
            Refusal: what was brought is not valid.
        """
        header = request.META.get("HTTP_AUTHORIZATION")
        if header is not None:
            return None, authenticate(secret=_secret(header), now=timezone.now())
        return _session(request)

    def authenticate_header(self, _request: Request) -> str:
        """DRF asks for it to choose 401 over 403."""
        return 'Bearer realm="strongroom"'


def _secret(header: str) -> str:
    """The token in an `Authorization` header. No refusal here repeats what it holds."""
    scheme, _, value = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return value.strip()
        case "basic":
            return _password(value.strip())
        case _:
            raise TokenMalformed(expected=_EXPECTED)


def _password(encoded: str) -> str:
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise TokenMalformed(expected=_EXPECTED) from None
    if user != TOKEN_USER:
        raise TokenMalformed(expected=_EXPECTED)
    return password


def _session(request: Request) -> tuple[User, Actor] | None:
    """The person of a browser session. DRF's own check demands the CSRF token to change things."""
    try:
        found = SessionAuthentication().authenticate(request)
    except exceptions.PermissionDenied:
        raise CsrfFailed from None
    if found is None:
        return None
    user: User = found[0]
    return user, act_as(person=user)
