"""Previews of retention policies, for the owners of what they are about."""

from uuid import UUID

from artifacts.domain.retention_tally import Effect
from artifacts.errors import RetentionPreviewNotFound
from artifacts.models import RetentionPreview, RetentionPreviewItem
from artifacts.queries.fates import require_list
from artifacts.queries.retention_plans import of_scopes_owned_by
from kernel.actor import Actor


def visible_preview(*, actor: Actor, preview: UUID) -> RetentionPreview:
    """The preview, for an owner of what it is about.

    Raises:
        RetentionPreviewNotFound: there is none, or it does not exist for this actor.
    """
    found = RetentionPreview.objects.filter(of_scopes_owned_by(actor), pk=preview).first()
    if found is None:
        raise RetentionPreviewNotFound
    return found


def previewed_after(
    after: int, *, preview: RetentionPreview, effect: Effect | None, limit: int
) -> list[RetentionPreviewItem]:
    """The preview's artifacts behind this one, by project; of one effect where it is named.

    Raises:
        ListForgotten: it was not saved in time.
    """
    require_list(preview)
    found = RetentionPreviewItem.objects.filter(preview=preview, pk__gt=after)
    if effect is not None:
        found = found.filter(effect=effect)
    return list(found.order_by("id")[:limit])
