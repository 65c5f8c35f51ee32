"""The sweep: every 15 seconds the beat asks for it, and it asks everybody else."""

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from kernel.outbox.emit import beat, emit
from kernel.outbox.events import SweepDue


@shared_task(name="kernel.sweep", ignore_result=True)
def sweep_task(**_later: object) -> None:
    """Beat, and emit `sweep.due`: config/events.py says who looks for lost work."""
    now = timezone.now()
    with transaction.atomic(durable=True):
        beat("sweep", now=now)
        emit(SweepDue(), now=now)
