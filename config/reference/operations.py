"""Every operation of the store, as the apps and the assembly itself describe them."""

from typing import Final

from access.api.reference import OPERATIONS as ACCESS
from access.errors import CsrfFailed, TokenExpired, TokenMalformed, TokenRevoked, TokenUnknown
from artifacts.api.reference import OPERATIONS as ARTIFACTS
from console import urls as console
from kernel.actor import Unauthenticated
from kernel.errors import Refusal
from kernel.reference import Answer, Asker, Operation, Operations, Reader
from kernel.rest import DatabaseUnavailable, NotFound, Unexpected
from provenance.api.reference import OPERATIONS as PROVENANCE

_CHECKS: Final = {
    "status": str,
    "checks": dict[str, object],
}
_OF_MACHINES: Final[Operations] = {
    "GET /healthz": Operation(
        id="show_health",
        reader=Reader.ADMINISTRATOR,
        summary="Whether a process answers at all",
        asker=Asker.ANYBODY,
        answers=(Answer(200, "It does.", {"status": str}, {"status": "ok"}),),
    ),
    "GET /readyz": Operation(
        id="show_readiness",
        reader=Reader.ADMINISTRATOR,
        summary="Each part by name: whether the store can serve, and what only waits",
        asker=Asker.ANYBODY,
        answers=tuple(
            Answer(
                status,
                text,
                _CHECKS,
                {
                    "status": word,
                    "checks": {"database": {"ok": is_ok, "detail": detail, "seconds": 0.002}},
                },
            )
            for status, text, word, is_ok, detail in (
                (200, "It serves; `degraded` where work waits.", "ready", True, "answers"),
                (503, "It cannot serve.", "unavailable", False, "OperationalError: …"),
            )
        ),
    ),
    "GET /metrics": Operation(
        id="show_metrics",
        reader=Reader.ADMINISTRATOR,
        summary="Counters and ages for Prometheus",
        text="With `Authorization: Bearer` and the operator's own token, where one is set.",
        asker=Asker.ANYBODY,
        answers=(
            Answer(
                200,
                "Prometheus' text format.",
                str,
                "strongroom_outbox_age_seconds 0.0\n",
                media_type="text/plain; version=1.0.0; charset=utf-8",
            ),
        ),
        refusals=(Unauthenticated,),
    ),
    "GET /api/v1/openapi.json": Operation(
        id="show_reference",
        reader=Reader.CONSUMER,
        summary="This document",
        asker=Asker.ANYBODY,
        answers=(
            Answer(
                200,
                "OpenAPI 3.1.",
                dict[str, object],
                {"openapi": "3.1.1"},
                media_type="application/vnd.oai.openapi+json",
                headers=("ETag", "Cache-Control"),
            ),
            Answer(304, "You have it already.", headers=("ETag", "Cache-Control")),
        ),
    ),
    "GET /api/v1/openapi.yaml": Operation(
        id="show_reference_as_yaml",
        reader=Reader.CONSUMER,
        summary="This document, as YAML",
        asker=Asker.ANYBODY,
        answers=(
            Answer(
                200,
                "OpenAPI 3.1.",
                str,
                "openapi: 3.1.1\n",
                media_type="application/vnd.oai.openapi",
                headers=("ETag", "Cache-Control"),
            ),
            Answer(304, "You have it already.", headers=("ETag", "Cache-Control")),
        ),
    ),
}
OPERATIONS: Final[Operations] = {**ARTIFACTS, **ACCESS, **PROVENANCE, **_OF_MACHINES}

# Pages for people, and the API's own documentation: no client calls them.
UNDESCRIBED: Final = frozenset(
    {*(str(page.pattern) for page in console.urlpatterns), "api/v1/docs"}
)

_CREDENTIALS: Final = (TokenMalformed, TokenUnknown, TokenExpired, TokenRevoked)
_OF_OUTAGES: Final = (Unexpected, DatabaseUnavailable)


def refusals_of(endpoint: str, operation: Operation) -> list[type[Refusal]]:
    """Every refusal that an operation can answer with, by code: its own and what holds everywhere.

    `endpoint` is the method and the address: `GET /api/v1/limits`.
    """
    method, _, path = endpoint.partition(" ")
    found = {*operation.refusals, *_OF_OUTAGES}
    if "{" in path:
        found.add(NotFound)  # what stands there is no id at all
    if operation.asker is not Asker.ANYBODY:
        found.update(_CREDENTIALS)
        if method != "GET":
            found.add(CsrfFailed)
    return sorted(found, key=lambda refusal: refusal.code)


def documented_refusals() -> list[type[Refusal]]:
    """Every refusal that some operation documents, by code."""
    found = {
        refusal
        for endpoint, operation in OPERATIONS.items()
        for refusal in refusals_of(endpoint, operation)
    }
    return sorted(found, key=lambda refusal: refusal.code)
