"""Previews of retention policies: made, and looked at object by object."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from artifacts.api.documents import rfc3339
from artifacts.api.filters import asked
from artifacts.api.holders import HolderView, OfInstance, OfOrganization, OfProject, read
from artifacts.api.links import root
from artifacts.api.pages import PAGE_FILES, counted_page
from artifacts.api.retention_plans import rule_document
from artifacts.api.retention_shapes import EffectDocument, PreviewDocument, PreviewItemDocument
from artifacts.domain.retention import Level
from artifacts.domain.retention_tally import Effect
from artifacts.models import RetentionPreview, RetentionPreviewItem, RetentionPreviewRule
from artifacts.queries.fates import forgotten_at
from artifacts.queries.frontier import holder_of
from artifacts.queries.positions import row_behind
from artifacts.queries.retention_previews import previewed_after, visible_preview
from artifacts.usecases.preview_retention import preview_retention
from kernel.native import NativeView
from kernel.rest import actor_of, choice


class PreviewIn(serializers.Serializer[Any]):
    """The whole policy that might hold."""

    document = serializers.JSONField()


class PreviewView(HolderView):
    """What another policy of one holder would change."""

    def post(self, request: Request, **names: str) -> Response:
        """Write it down; nothing else changes."""
        actor = actor_of(request)
        holder = self.holders(actor, **names)[-1]
        holder.require_owned(actor)  # before the body: a stranger learns nothing from it
        made = preview_retention(
            holder=holder, actor=actor, now=timezone.now(), **read(PreviewIn, request)
        )
        return Response(preview_document(made), status=201, headers={"Location": preview_url(made)})


class InstancePreview(OfInstance, PreviewView):
    """Of the store's policy."""


class OrganizationPreview(OfOrganization, PreviewView):
    """Of an organization's."""


class ProjectPreview(OfProject, PreviewView):
    """Of a project's."""


class PreviewDetail(NativeView):
    """One preview."""

    def get(self, request: Request, preview: UUID) -> Response:
        """Show it in numbers."""
        found = visible_preview(actor=actor_of(request), preview=preview)
        return Response(preview_document(found))


class PreviewItems(NativeView):
    """The artifacts that would newly end, or newly be kept."""

    def get(self, request: Request, preview: UUID) -> Response:
        """Show one page of them."""
        found = visible_preview(actor=actor_of(request), preview=preview)
        parameters = asked(request, "cursor", "effect")
        items = previewed_after(
            row_behind(parameters.get("cursor")),
            preview=found,
            effect=choice(parameters, "effect", Effect),
            limit=PAGE_FILES + 1,
        )
        rules = {rule.number: rule for rule in found.rules.all()}
        return counted_page(
            {"preview": str(found.pk)},
            items,
            lambda one: _item(one, rules[one.rule]),
            url=f"{preview_url(found)}/items",
            asked=parameters,
        )


def preview_url(preview: RetentionPreview) -> str:
    """A preview, by its id."""
    return f"{root()}/retention-previews/{preview.pk}"


def preview_document(preview: RetentionPreview) -> PreviewDocument:
    """A preview in numbers, and where its artifacts are."""
    url, rules = preview_url(preview), list(preview.rules.order_by("number"))
    return {
        "id": str(preview.pk),
        "level": Level(preview.level).word,
        "of": holder_of(preview.level, preview.scope_id).name,
        "document": preview.document,
        "version": preview.version,
        "made_at": rfc3339(preview.made_at),
        "made_by": preview.made_by,
        "looked_at": preview.looked_at,
        "artifacts": preview.artifacts,
        "logical_bytes": preview.logical_bytes,
        "physical_bytes": preview.physical_bytes,
        "effects": {
            "ends": _effect(Effect.ENDS, rules, physical_bytes=preview.ended_physical_bytes),
            "keeps": _effect(Effect.KEEPS, rules, physical_bytes=preview.kept_physical_bytes),
            "sooner": _effect(Effect.SOONER, rules),
            "later": _effect(Effect.LATER, rules),
            "same": _effect(Effect.SAME, rules),
        },
        "rules": [rule_document(rule) for rule in rules],
        "list_forgotten_at": rfc3339(forgotten_at(preview)),
        "urls": {"self": url, "items": f"{url}/items"},
    }


def _effect(
    effect: Effect, rules: list[RetentionPreviewRule], physical_bytes: int | None = None
) -> EffectDocument:
    counted = [rule for rule in rules if rule.outcome == effect]
    return {
        "artifacts": sum(rule.artifacts for rule in counted),
        "logical_bytes": sum(rule.logical_bytes for rule in counted),
        "physical_bytes": physical_bytes,
    }


def _item(item: RetentionPreviewItem, rule: RetentionPreviewRule) -> PreviewItemDocument:
    return {
        "artifact": str(item.artifact_id),
        "path": item.path,
        "ref": item.ref,
        "size_bytes": item.size_bytes,
        "physical_bytes": item.physical_bytes,
        "effect": item.effect,
        "expires_at_now": rfc3339(item.held_ends_at),
        "expires_at": rfc3339(item.ends_at),
        "rule": rule.name or None,
        "version": rule.version,
    }
