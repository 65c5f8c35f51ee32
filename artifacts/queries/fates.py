"""Which lists of plans, previews and bulk actions were forgotten, and when."""

from collections.abc import Collection
from datetime import datetime
from typing import Final
from uuid import UUID

from artifacts.domain.fates import Fate, ListForgotten
from artifacts.models import BulkAction, ListFate, RetentionPlan, RetentionPreview

Question = RetentionPlan | RetentionPreview | BulkAction
_WORDS: Final[dict[type[Question], str]] = {
    RetentionPlan: "retention-plan",
    RetentionPreview: "retention-preview",
    BulkAction: "bulk-action",
}


def forgotten_at(question: Question) -> datetime | None:
    """When its list was forgotten; None while it is kept."""
    return forgotten_among([question]).get(question.pk)


def forgotten_among(questions: Collection[Question]) -> dict[UUID, datetime]:
    """The same by id; those whose lists are kept are left out."""
    found = ListFate.objects.filter(pk__in=[one.pk for one in questions], fate=Fate.FORGOTTEN)
    return dict(found.values_list("pk", "at"))


def require_list(question: Question) -> None:
    """Refuse what cannot be done without its list.

    Raises:
        ListForgotten: there is none any more.
    """
    at = forgotten_at(question)
    if at is not None:
        raise ListForgotten(of=_WORDS[type(question)], id=question.pk, forgotten_at=at)
