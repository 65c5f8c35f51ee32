"""What other retention rules would change, seen before they hold; and letting them hold."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpResponseRedirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from artifacts.domain.fates import ListForgotten
from artifacts.domain.retention_tally import Effect
from artifacts.queries.fates import forgotten_at
from artifacts.queries.frontier import PoliciesSeen, holder_of, policies_changed_since
from artifacts.queries.positions import encode_cursor, row_behind
from artifacts.queries.retention import held_by, names_of_scopes
from artifacts.queries.retention_previews import previewed_after, visible_preview
from artifacts.usecases.set_retention import RetentionChange, set_retention
from console.administration import Place, members_only, show_place
from console.asking import asked, pages
from console.confirming import answers
from console.planning import MOST_RULES, OF_PREVIEWS, changes, names_in, rules_shown
from console.rules import differences
from kernel.rest import choice

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from artifacts.models import RetentionPreview, RetentionPreviewItem, RetentionPreviewRule
    from kernel.actor import Actor

PAGE_ITEMS: Final = 50


@require_http_methods(["GET", "HEAD", "POST"])
@members_only
def preview(request: HttpRequest, actor: Actor, preview: UUID) -> HttpResponse:
    """What is different in the rules and for the files; saved with a reason.

    Where something would go, the name of what it is about is asked for as well.
    """
    found = visible_preview(actor=actor, preview=preview)
    place = Place.of(holder_of(found.level, found.scope_id), actor=actor)
    rules = list(found.rules.all())
    effects = _effects(rules)
    given = answers(request, name=place.holder.name if effects["ends"]["artifacts"] else "")
    changed = policies_changed_since(
        PoliciesSeen(found.policies, found.newest_policy), place.holder
    )
    gone_at = forgotten_at(found)
    if given.is_complete and not changed and gone_at is None:
        change = RetentionChange(found.document, given.reason, found.version, found)
        set_retention(holder=place.holder, change=change, actor=actor, now=timezone.now())
        return HttpResponseRedirect(place.url("retention"))
    [own] = held_by(place.holder)
    told = names_in(changed)
    content = {
        "preview": found,
        "forgotten_at": gone_at,
        "effects": effects,
        "differences": differences(own.document, found.document),
        "changes": changes(changed, names_of_scopes(told)),
        "answers": given,
        "here": "Preview",
        "back": place.url("retention"),
        "again": f"{place.url('retention/edit')}?preview={found.pk}",
        **_items(request, found, rules),
    }
    template = "console/administration/preview.html"
    status = 422 if given.is_sent else 200
    return show_place(request, template, place, content, tab="retention", status=status)


def _effects(rules: list[RetentionPreviewRule]) -> Mapping[str, dict[str, int]]:
    """How many files each effect is on, and their bytes."""
    return {
        effect.value: {
            "artifacts": sum(one.artifacts for one in rules if one.outcome == effect),
            "logical_bytes": sum(one.logical_bytes for one in rules if one.outcome == effect),
        }
        for effect in Effect
    }


def _items(
    request: HttpRequest, preview: RetentionPreview, rules: list[RetentionPreviewRule]
) -> dict[str, Any]:
    """A page of the files that would newly go or stay, and the rules that say so."""
    given = asked(request, "cursor", "effect")
    items: list[RetentionPreviewItem] = []
    with suppress(ListForgotten):  # the page says so
        items = previewed_after(
            row_behind(given.get("cursor")),
            preview=preview,
            effect=choice(given, "effect", Effect),
            limit=PAGE_ITEMS + 1,
        )
    shown = items[:PAGE_ITEMS]
    scopes = {one.scope_id for one in rules if one.scope_id is not None}
    names = names_of_scopes(scopes | {one.project_id for one in shown})
    of_rules = {one.number: one.name for one in rules}
    return {
        "rules": rules_shown(rules, names, OF_PREVIEWS),
        "most_rules": MOST_RULES if len(rules) > MOST_RULES else None,
        "items": [(one, names.get(one.project_id, ""), of_rules[one.rule]) for one in shown],
        "given": given,
        "kinds": [(one.value, OF_PREVIEWS[one.value][0]) for one in (Effect.ENDS, Effect.KEEPS)],
        "is_narrowed": "effect" in given,
        "pages": pages(given, encode_cursor(shown[-1].pk) if len(items) > PAGE_ITEMS else None),
    }
