"""Forget the used token ids that no longer protect anything."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from access.models import UsedTokenId

# Longer than any clock of ours is ever set back.
GRACE: Final = timedelta(hours=1)


def collect_token_ids(*, now: datetime) -> int:
    """Remove the ids whose identity tokens have expired for good, and say how many."""
    with transaction.atomic(durable=True):
        removed, _ = UsedTokenId.objects.filter(expires_at__lt=now - GRACE).delete()
    return removed
