"""Use the list of a question: from then on nobody forgets it. Joins the caller's transaction."""

from datetime import datetime

from artifacts.domain.fates import Fate
from artifacts.models import ListFate
from artifacts.queries.fates import Question, require_list
from kernel.connections import joins_transaction


def use_list(*, question: Question, now: datetime) -> None:
    """Decide that it is used; again is harmless. Whoever decides about the same list waits.

    Raises:
        ListForgotten: that was decided before.
    """
    joins_transaction("use_list")
    used = ListFate(pk=question.pk, fate=Fate.USED, at=now)
    ListFate.objects.bulk_create([used], ignore_conflicts=True)
    require_list(question)
