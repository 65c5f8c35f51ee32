"""Forget the failed attempts to log in that no longer count."""

from datetime import datetime

from django.db import transaction

from access.domain.attempts import WINDOW
from access.models import LoginAttempt


def collect_login_attempts(*, now: datetime) -> int:
    """Remove those that are older than what is counted, and say how many."""
    with transaction.atomic(durable=True):
        removed, _ = LoginAttempt.objects.filter(at__lt=now - 2 * WINDOW).delete()
    return removed
