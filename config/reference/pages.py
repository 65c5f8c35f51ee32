"""The API reference where people and clients look for it: browsable, as JSON and as YAML."""

import json
from functools import cache
from hashlib import sha256
from typing import Final

import yaml
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import parse_etags
from django.views.decorators.http import require_safe

from config.reference.document import openapi_json

# Everything comes from this store, and the page sends nothing elsewhere. The pages of
# drf-spectacular-sidecar draw their icons as data: addresses.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@require_safe
def as_json(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document."""
    return _document(request, openapi_json(), "application/vnd.oai.openapi+json")


@require_safe
def as_yaml(request: HttpRequest) -> HttpResponse:
    """The same as YAML."""
    return _document(request, _openapi_yaml(), "application/vnd.oai.openapi")


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The document to read, to search and to try out."""
    response = render(request, "strongroom/reference.html")
    response["Content-Security-Policy"] = POLICY
    return response


@cache
def _openapi_yaml() -> bytes:
    document = json.loads(openapi_json())
    written: str = yaml.dump(  # libyaml's writer: Python's own takes seconds for so much
        document, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=100
    )
    return written.encode()


def _document(request: HttpRequest, content: bytes, media_type: str) -> HttpResponse:
    etag = f'"sha256:{sha256(content).hexdigest()}"'
    if etag in parse_etags(request.headers.get("If-None-Match", "")):
        response = HttpResponse(status=304)
        del response["Content-Type"]
    else:
        response = HttpResponse(content, content_type=media_type)
    response["ETag"] = etag
    response["Cache-Control"] = "public, max-age=300"
    return response
