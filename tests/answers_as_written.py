"""Middleware of the tests: every answer to every test is in the API reference as it was given.

An answer that is not goes into a file, because the server may be another process; the fixture
`answers_as_written` fails the test during which that happened.
"""

import json
import sys
from collections.abc import Callable
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase

from config.reference.operations import OPERATIONS, refusals_of
from kernel.problems import MEDIA_TYPE
from tests.environment import UNDOCUMENTED
from tests.factories.addresses import written
from tests.factories.reference import validator

# A server under test stays as light as in production: bodies are judged in the tests' own process.
_JUDGES_BODIES: Final = "pytest" in sys.modules


class AnswersAsWritten:
    """Compares status, content type and problem code, and the body with its schema."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        endpoint = endpoint_of(request)
        if endpoint in OPERATIONS and (wrong := _wrong(endpoint, request, response)):
            with UNDOCUMENTED.open("a") as file:
                file.write(f"{endpoint} {response.status_code}: {wrong}\n")
        return response


def endpoint_of(request: HttpRequest) -> str:
    """Which operation answered; HEAD is its GET."""
    match = request.resolver_match
    route = match.route if match is not None else ""
    method = "GET" if request.method == "HEAD" else request.method
    return f"{method} {written(route)}"


def _wrong(endpoint: str, request: HttpRequest, response: HttpResponseBase) -> str:
    media_type = response.get("Content-Type", "")
    if media_type == MEDIA_TYPE and isinstance(response, HttpResponse):
        code = json.loads(response.content)["code"]
        known = {refusal.code for refusal in refusals_of(endpoint, OPERATIONS[endpoint])}
        return "" if code in known else f"the code {code} is not documented"
    answers = [one for one in OPERATIONS[endpoint].answers if one.status == response.status_code]
    if not answers:
        return "the status is not documented"
    types = {answers[0].media_type, *answers[0].also} if answers[0].shape is not None else {""}
    if media_type not in types:
        return f"the content type {media_type} is not documented"
    missing = [name for name in answers[0].headers if name not in response]
    if missing:
        return f"headers are missing: {missing}"
    if not isinstance(response, HttpResponse) or request.method == "HEAD" or not response.content:
        return ""
    return _body_is_other(endpoint, response, media_type) if _JUDGES_BODIES else ""


def _body_is_other(endpoint: str, response: HttpResponse, media_type: str) -> str:
    judge = validator(endpoint, response.status_code, media_type)
    if judge is None or not media_type.endswith(("/json", "+json")):
        return ""
    errors = [
        f"{one.json_path}: {one.message}" for one in judge.iter_errors(json.loads(response.content))
    ]
    return "; ".join(errors)[:1000]
