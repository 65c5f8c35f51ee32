"""Which retention rules hold at a place, whose they are, and how its own are changed."""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from artifacts.errors import RetentionPreviewNotFound
from artifacts.queries.positions import row_number
from artifacts.queries.retention import held_by, versions_of
from artifacts.queries.retention_previews import visible_preview
from artifacts.usecases.preview_retention import preview_retention
from console.administration import administered, show_place
from console.asking import asked
from console.drafts import begun, sent, with_another_rule
from console.rule_form import TERMS
from console.rules import differences, said
from kernel.rest import MalformedRequest

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from artifacts.models import StoredRetentionPolicy
    from artifacts.queries.retention import Held
    from console.administration import Place
    from console.drafts import Draft
    from kernel.actor import Actor

MOST_VERSIONS: Final = 20


@require_safe
@administered
def rules(request: HttpRequest, actor: Actor, place: Place) -> HttpResponse:
    """The rules of all levels that hold here, and the versions of the place's own."""
    del actor
    versions = versions_of(place.holder, limit=MOST_VERSIONS + 1)
    content = {
        "policies": [
            (one, said(one.attached.policy)) for one in held_by(*place.above, place.holder)
        ],
        "versions": _told(versions),
        "most": MOST_VERSIONS if len(versions) > MOST_VERSIONS else None,
        "edit": place.url("retention/edit"),
    }
    return show_place(
        request, "console/administration/retention.html", place, content, tab="retention"
    )


@require_http_methods(["GET", "HEAD", "POST"])
@administered
def edit(request: HttpRequest, actor: Actor, place: Place) -> HttpResponse:
    """The place's own rules, to be changed: as a form or as JSON, previewed before they hold."""
    [own] = held_by(place.holder)
    if request.method != "POST":
        draft = begun(_document(request, actor, own), own.version, as_json="json" in request.GET)
        return _form(request, place, draft)
    fields, version = _fields(request)
    draft, wanted = sent(fields, version), fields.get("do", "")
    if wanted == "add":
        draft = with_another_rule(draft)
    elif wanted in ("as-json", "as-form") and draft.trouble is None:
        draft = begun(draft.document, version, as_json=wanted == "as-json")
    elif version != own.version:
        draft = replace(draft, version=own.version, is_overtaken=True)
    elif draft.trouble is None:
        made = preview_retention(
            holder=place.holder, document=draft.document, actor=actor, now=timezone.now()
        )
        return HttpResponseRedirect(reverse("retention_preview", args=[made.pk]))
    return _form(request, place, draft)


def _document(request: HttpRequest, actor: Actor, own: Held) -> dict[str, Any]:
    """What holds; or what was previewed, to be changed again."""
    given = asked(request, "preview").get("preview")
    if given is None:
        return own.document or {}
    try:
        identity = UUID(given)
    except ValueError:
        raise RetentionPreviewNotFound from None
    document: dict[str, Any] = visible_preview(actor=actor, preview=identity).document
    return document


def _form(request: HttpRequest, place: Place, draft: Draft) -> HttpResponse:
    content = {
        "draft": draft,
        "terms": TERMS,
        "here": "Edit",
        "back": place.url("retention"),
    }
    status = 409 if draft.is_overtaken else 422 if draft.trouble is not None else 200
    template = "console/administration/retention_edit.html"
    return show_place(request, template, place, content, tab="retention", status=status)


def _fields(request: HttpRequest) -> tuple[dict[str, str], int]:
    """What was sent, and the version that it was begun on."""
    fields = {name: request.POST.get(name, "") for name in request.POST}
    if any("\x00" in one for one in fields.values()):
        raise MalformedRequest(expected="readable text")
    try:
        return fields, row_number(fields.get("version", ""))
    except ValueError:
        raise MalformedRequest(parameter="version", expected="a number") from None


def _told(versions: list[StoredRetentionPolicy]) -> list[dict[str, Any]]:
    """Each version with what it says otherwise than the one before it."""
    documents = (one.document for one in versions[1:])
    return [
        {"stored": one, "differences": differences(earlier, one.document)}
        for one, earlier in zip_longest(versions, documents)
    ][:MOST_VERSIONS]
