"""Use the list of a question: from then on nobody forgets it. Joins the caller's transaction."""

from datetime import datetime

from django.db import transaction

from artifacts.domain.fates import Fate
from artifacts.models import ListFate
from artifacts.queries.fates import Question, require_list


def use_list(*, question: Question, now: datetime) -> None:
    """Decide that it is used; again is harmless. Whoever decides about the same list waits.

    Raises:
        ListForgotten: that was decided before.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("use_list joins a transaction")
    used = ListFate(pk=question.pk, fate=Fate.USED, at=now)
    ListFate.objects.bulk_create([used], ignore_conflicts=True)
    require_list(question)
