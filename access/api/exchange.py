"""Trusted publishing, in the shape that PyPI's clients know: audience, and the exchange."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import JsonResponse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access import wiring
from access.api.preflight import preflight
from access.api.serializers import ExchangeIn, PreflightIn
from access.usecases.check_exchange import check_exchange
from access.usecases.mint_token import ClientSecret, mint_token
from kernel import rest
from kernel.native import SmallJSONParser
from provenance.wiring import judge


class Audience(APIView):
    """What a CI job has to ask its platform for: `aud` is this store and nobody else."""

    authentication_classes = ()

    def get(self, _request: Request) -> Response:
        return Response({"audience": settings.PUBLIC_URL})


class MintToken(APIView):
    """Exchange an identity token for an upload token. The body is the credential."""

    authentication_classes = ()
    parser_classes = (SmallJSONParser,)

    def post(self, request: Request) -> Response:
        asked = ExchangeIn(data=request.data)
        asked.is_valid(raise_exception=True)
        minted = mint_token(
            identity_token=asked.validated_data["token"],
            project=asked.validated_data.get("project"),
            exchange=wiring.exchange(),
            now=timezone.now(),
            client_secret=_client_secret(asked.validated_data),
        )
        answer = {
            "success": True,
            "token": minted.secret,
            "expires": int(minted.token.expires_at.timestamp()),
            "project": minted.project,
        }
        return Response(answer, headers={"Cache-Control": "no-store"})

    def get_exception_handler(self) -> Any:  # noqa: ANN401 - DRF's own signature
        """Problem documents, with PyPI's `errors` added."""
        return _with_errors


class Preflight(APIView):
    """What an exchange would give. The identity token is not used up."""

    authentication_classes = ()
    parser_classes = (SmallJSONParser,)

    def post(self, request: Request) -> Response:
        asked = PreflightIn(data=request.data)
        asked.is_valid(raise_exception=True)
        checked = check_exchange(
            identity_token=asked.validated_data["token"],
            project=asked.validated_data.get("project"),
            exchange=wiring.exchange(),
            key_is_shared=judge().key_is_shared,
            now=timezone.now(),
        )
        return Response(preflight(checked), headers={"Cache-Control": "no-store"})

    def get_exception_handler(self) -> Any:  # noqa: ANN401 - DRF's own signature
        """As the exchange answers."""
        return _with_errors


def _client_secret(given: Mapping[str, str]) -> ClientSecret | None:
    if "secret" in given:
        digest = hashlib.sha256(given["secret"].encode()).hexdigest()
        return ClientSecret(digest, is_shown=True)
    if "secret_sha256" in given:
        return ClientSecret(given["secret_sha256"], is_shown=False)
    return None


def _with_errors(error: Exception, context: dict[str, Any]) -> Response | JsonResponse:
    """Both kinds of client read their own members of one document (RFC 9457, section 3.2)."""
    response = rest.exception_handler(error, context)
    if isinstance(response, JsonResponse):
        document = json.loads(response.content)
        told = {"code": document["code"], "description": document["title"]}
        response.content = json.dumps({**document, "errors": [told]}).encode()
    return response
