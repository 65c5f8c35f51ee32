"""Celery: the broker's settings, the beat's one entry, and the request id on its way to a worker.

The row is the truth and the message a nudge, so tasks acknowledge early, store no results and
use no retries of Celery's: leases and backoff stand on the rows (docs/adr/0004).
"""

import os
from typing import Any

import structlog
from celery import Celery, Task
from celery.signals import setup_logging, task_postrun, task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

django.setup()

from django.conf import settings  # noqa: E402 - after setup
from django.db import connections  # noqa: E402 - after setup

from config import broker  # noqa: E402 - after setup
from config.events import SWEEP_SECONDS  # noqa: E402 - after setup

app = Celery("strongroom", broker=settings.BROKER_URL)
app.conf.update(
    task_ignore_result=True,
    task_acks_late=False,
    task_serializer="json",
    accept_content=["json"],
    timezone="UTC",
    enable_utc=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    beat_schedule={
        "sweep": {
            "task": "kernel.sweep",
            "schedule": SWEEP_SECONDS,
            # A sweep that waited longer than the next one would only run twice.
            "options": {"expires": SWEEP_SECONDS},
        }
    },
    beat_scheduler="celery.beat:Scheduler",
    **broker.settings_for(settings.BROKER_URL, ca_file=settings.BROKER_CA_FILE),
)
app.autodiscover_tasks(["kernel.outbox", "provenance", "artifacts", "access", "config"])


@setup_logging.connect
def _keep_our_logging(**_signal: Any) -> None:  # noqa: ANN401 - Celery's own shape
    """Celery leaves logging alone once this signal has a receiver."""


@task_prerun.connect
def _bind_request_id(task: Task[Any, Any], task_id: str, **_signal: Any) -> None:  # noqa: ANN401
    structlog.contextvars.clear_contextvars()
    request_id = getattr(task.request, "request_id", None) or task_id
    structlog.contextvars.bind_contextvars(request_id=request_id, task=task.name)


@task_postrun.connect
def _give_connections_back(**_signal: Any) -> None:  # noqa: ANN401 - Celery's own shape
    connections.close_all()
