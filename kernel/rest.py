"""DRF glue shared by all native endpoints: the actor, problem documents, request ids."""

import logging
from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

from kernel.actor import ANONYMOUS, Actor, Unauthenticated
from kernel.errors import Kind, Refusal
from kernel.outbox.emit import current_request_id
from kernel.problems import MEDIA_TYPE, STATUS, problem

if TYPE_CHECKING:
    from rest_framework.views import APIView

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS: Final = 5

Choice = TypeVar("Choice", bound=StrEnum)


class NotFound(Refusal):
    """There is nothing here, or nothing that this token may see."""

    code = "not-found"
    kind = Kind.NOT_FOUND


class MethodNotAllowed(Refusal):
    """This address does not answer this method."""

    code = "method-not-allowed"
    kind = Kind.METHOD


class MalformedRequest(Refusal):
    """The request cannot be read."""

    code = "malformed-request"
    kind = Kind.MALFORMED


class RequestTooLarge(Refusal):
    """The body is larger than this address reads."""

    code = "request-too-large"
    kind = Kind.TOO_LARGE


class UnsupportedMediaType(Refusal):
    """The body has a media type that this address does not read."""

    code = "unsupported-media-type"
    kind = Kind.UNSUPPORTED


class Unexpected(Refusal):
    """Something went wrong that we did not anticipate; it is logged with this request id."""

    code = "unexpected"
    kind = Kind.UNEXPECTED


class DatabaseUnavailable(Refusal):
    """The database cannot be reached now; nothing was changed, and the request may be repeated."""

    code = "database-unavailable"
    kind = Kind.UNAVAILABLE


def actor_of(request: Request) -> Actor:
    """The authenticated actor, or ANONYMOUS."""
    return request.auth if isinstance(request.auth, Actor) else ANONYMOUS


def who_tries(request: HttpRequest | Request) -> str:
    """The address of who logs in: behind a proxy what it saw last, which no client can write."""
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    if settings.SECURE_PROXY_SSL_HEADER is not None and forwarded:
        return forwarded[:64]
    return str(request.META.get("REMOTE_ADDR", ""))[:64]


def accepts_pages(request: HttpRequest) -> bool:
    """Whether the asker names HTML, as browsers do; who takes anything gets what programs read."""
    return request.accepts("text/html") and request.headers.get("Accept", "*/*") != "*/*"


def choice(parameters: Mapping[str, str], name: str, of: type[Choice]) -> Choice | None:
    """One of a few words, or None where it is not asked.

    Raises:
        MalformedRequest: it is another word.
    """
    found = parameters.get(name)
    if found is None:
        return None
    try:
        return of(found)
    except ValueError as error:
        raise MalformedRequest(parameter=name, expected=sorted(of), found=found[:100]) from error


def problem_response(refusal: Refusal, request: HttpRequest) -> JsonResponse:
    """Answer with the refusal's problem document, for any kind of view."""
    document = problem(refusal, pages=f"{settings.PUBLIC_URL}/problems", instance=request.path)
    response = JsonResponse(document, status=STATUS[refusal.kind], content_type=MEDIA_TYPE)
    if refusal.kind is Kind.UNAUTHENTICATED:
        response["WWW-Authenticate"] = 'Bearer realm="strongroom"'
    if refusal.kind in (Kind.UNAVAILABLE, Kind.NO_SPACE):
        response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    if refusal.kind is Kind.TOO_MANY:
        response["Retry-After"] = str(refusal.facts["retry_after_seconds"])
    response["Cache-Control"] = "no-store"
    return response


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | JsonResponse:
    """DRF's hook: every error of a native view becomes a problem document."""
    request = cast("APIView", context["view"]).request
    return problem_response(refusal_of(error), request._request)  # noqa: SLF001 - DRF offers no public name


def refusal_of(error: BaseException | None) -> Refusal:
    """Every error as a refusal: ours, DRF's and Django's by name, the rest logged as unexpected."""
    refusal = _known(error)
    if refusal is None:
        logger.error("unexpected error", exc_info=error)
        return Unexpected(request_id=current_request_id())
    return refusal


def _known(error: BaseException | None) -> Refusal | None:
    if isinstance(error, Refusal):
        return error
    if isinstance(error, Http404):
        return NotFound()
    if isinstance(error, exceptions.MethodNotAllowed):
        return MethodNotAllowed(detail=str(error.detail))
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return Unauthenticated()
    if isinstance(error, exceptions.UnsupportedMediaType):
        return UnsupportedMediaType(detail=str(error.detail))
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("database unavailable", extra={"error": str(error)})
        return DatabaseUnavailable()
    if isinstance(error, exceptions.ValidationError):
        return MalformedRequest(fields=error.detail)
    if isinstance(error, exceptions.APIException) and error.status_code < 500:  # noqa: PLR2004
        return MalformedRequest(detail=str(error.detail))
    return None
