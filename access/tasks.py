"""Celery's way in. The task may run twice, and at once."""

from celery import shared_task
from django.utils import timezone

from access.usecases.collect_login_attempts import collect_login_attempts
from access.usecases.collect_token_ids import collect_token_ids


@shared_task(name="access.collect_token_ids", ignore_result=True)
def collect_token_ids_task(**_later: object) -> None:
    """Forget the used token ids that no longer protect anything."""
    collect_token_ids(now=timezone.now())


@shared_task(name="access.collect_login_attempts", ignore_result=True)
def collect_login_attempts_task(**_later: object) -> None:
    """Forget the failed attempts to log in that no longer count."""
    collect_login_attempts(now=timezone.now())
