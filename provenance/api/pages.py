"""Builder, attestor and buildType pages: what stands behind the URLs in our statements.

They are made from the same constants as the statements, as a page for people and as JSON.
"""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from kernel.rest import accepts_pages, problem_response
from provenance.domain import platforms, release, removal, slsa_v1
from provenance.domain.build_facts import Platform
from provenance.domain.build_schema import schema
from provenance.domain.builders import (
    CONFIRMED_MODES,
    Builder,
    NotOurBuilder,
    builder_id,
    describe_builder,
    modes_of,
    release_attestor_id,
    removal_attestor_id,
)
from provenance.domain.confirmation import comparable
from provenance.domain.fields import STORE, fields_of
from provenance.domain.platforms import FORMS, Form
from provenance.errors import NoSuchPage
from provenance.queries import trust_map, trust_state

STATEMENT = "A job of this workflow, at this commit, on this platform, uploaded these bytes."
IDENTITY_STATEMENT = "Whoever holds this identity uploaded these bytes."
NOT_STATED = (
    "that the bytes were compiled from the commit: a token proves which job uploaded, not what "
    "the job did"
)
REMOVAL_STATES = (
    "This store removed these artifacts, by that rule or that person, and has given up their bytes."
)
REMOVAL_DOES_NOT_STATE = (
    "that no copy exists: what others have, or had under another name of this store, is theirs"
)


@require_safe
def builder(request: HttpRequest, issuer_name: str, mode_name: str) -> HttpResponse:
    """One builder: scope, the most it may claim, each field and who generates it."""
    granted = trust_map(version=trust_state().trust_map_version, key_is_shared=False)
    identity = f"{settings.PUBLIC_URL}/builders/{issuer_name}/{mode_name}/v1"
    try:
        described = describe_builder(identity, base_url=settings.PUBLIC_URL)
    except NotOurBuilder:
        return problem_response(NoSuchPage(page=request.path), request)
    if identity not in granted.levels:
        return problem_response(NoSuchPage(page=request.path), request)
    form = FORMS[granted.platforms[issuer_name]]
    return _answer(
        request,
        "provenance/builder.html",
        {
            "id": identity,
            "issuer": described.issuer_name,
            "mode": described.mode.title,
            "level": granted.levels[identity].value,
            "why_not_higher": described.why_not_higher,
            "confirmed": described.mode in CONFIRMED_MODES,
            "compared": _compared(described, granted.platforms[issuer_name]),
            "states": _states(form),
            "does_not_state": NOT_STATED,
            "build_type": platforms.build_type(form, base_url=settings.PUBLIC_URL),
            "not_recorded": list(form.not_recorded),
            "fields": _fields(form),
            "other_modes": [
                builder_id(issuer_name, mode, base_url=settings.PUBLIC_URL)
                for mode in modes_of(granted.platforms[issuer_name])
                if mode.name != mode_name
            ],
        },
    )


@require_safe
def build_type(request: HttpRequest, name: str) -> HttpResponse:
    """The buildType's specification, with the schema that our verifier enforces."""
    form = _form(name)
    if form is None:
        return problem_response(NoSuchPage(page=request.path), request)
    identity = platforms.build_type(form, base_url=settings.PUBLIC_URL)
    return _answer(
        request,
        "provenance/build_type.html",
        {
            "id": identity,
            "predicate_type": slsa_v1.PREDICATE_TYPE,
            "title": form.title,
            "states": _states(form),
            "does_not_state": NOT_STATED,
            "schema": f"{identity}/schema.json",
            "not_recorded": list(form.not_recorded),
            "fields": _fields(form),
        },
    )


@require_safe
def build_type_schema(request: HttpRequest, name: str) -> HttpResponse:
    """The closed JSON Schema of a predicate of this buildType."""
    form = _form(name)
    if form is None:
        return problem_response(NoSuchPage(page=request.path), request)
    document = schema(form, base_url=settings.PUBLIC_URL)
    return JsonResponse(document, content_type="application/schema+json")


@require_safe
def release_attestor(request: HttpRequest) -> HttpResponse:
    """The identity that signs release attestations."""
    return _answer(
        request,
        "provenance/attestor.html",
        {
            "title": "Release attestor",
            "id": release_attestor_id(base_url=settings.PUBLIC_URL),
            "predicate_type": release.PREDICATE_TYPE,
            "states": "This store published these bytes in this project, under these names.",
            "does_not_state": "anything about how or where they were built",
            "level": "none",
        },
    )


@require_safe
def removal_attestor(request: HttpRequest) -> HttpResponse:
    """The identity that signs removals."""
    return _answer(
        request,
        "provenance/attestor.html",
        {
            "title": "Removal attestor",
            "id": removal_attestor_id(base_url=settings.PUBLIC_URL),
            "predicate_type": removal.predicate_type(base_url=settings.PUBLIC_URL),
            "states": REMOVAL_STATES,
            "does_not_state": REMOVAL_DOES_NOT_STATE,
            "level": "none",
        },
    )


@require_safe
def removal_predicate(request: HttpRequest) -> HttpResponse:
    """The specification of removals, made from the table that our verifier enforces."""
    return _answer(
        request,
        "provenance/predicate.html",
        {
            "id": removal.predicate_type(base_url=settings.PUBLIC_URL),
            "title": "Removal",
            "attestor": removal_attestor_id(base_url=settings.PUBLIC_URL),
            "states": REMOVAL_STATES,
            "does_not_state": REMOVAL_DOES_NOT_STATE,
            "fields": [
                {"path": "project", "source": STORE, "meaning": "the project's id in this store"},
                *(
                    {"path": f"artifacts/{name}", "source": STORE, "meaning": meaning}
                    for name, meaning in removal.MEMBERS.items()
                ),
            ],
        },
    )


def _form(build_type_name: str) -> Form | None:
    return next((one for one in FORMS.values() if one.build_type_name == build_type_name), None)


def _states(form: Form) -> str:
    return STATEMENT if form.ids is not None else IDENTITY_STATEMENT


def _compared(described: Builder, platform: Platform) -> list[str]:
    """What the platform's API was asked; each statement says what of it could not be compared."""
    return list(comparable(platform)) if described.mode in CONFIRMED_MODES else []


def _fields(form: Form) -> list[dict[str, str]]:
    return [
        {"path": field.path, "source": field.source, "meaning": field.meaning}
        for field in fields_of(form)
    ]


def _answer(request: HttpRequest, template: str, content: dict[str, Any]) -> HttpResponse:
    """HTML for whoever asks for it, else JSON; both say the same."""
    if accepts_pages(request):
        response = render(request, template, content)
    else:
        response = JsonResponse(content)
    response["Vary"] = "Accept"
    return response
