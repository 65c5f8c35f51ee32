"""Recount what those with a quota have: files that went, which nobody counted when they did."""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from artifacts.domain.quota import Quota, Use
from artifacts.models import Organization, Project
from artifacts.models.use import CORRECTION
from artifacts.queries.use import Subject, measured_use
from kernel.outbox.emit import beat
from kernel.outbox.queries import heartbeat_age

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(minutes=5)
HEARTBEAT: Final = "recount_use"
_ONE_AT_A_TIME: Final = 0x5354_524F_5155
_CORRECT: Final = """
INSERT INTO use_slice (subject, number, files, logical_bytes, physical_bytes)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (subject, number) DO UPDATE SET
    files = use_slice.files + excluded.files,
    logical_bytes = use_slice.logical_bytes + excluded.logical_bytes,
    physical_bytes = use_slice.physical_bytes + excluded.physical_bytes
"""


def recount_use_when_due(*, now: datetime) -> int:
    """Recount everybody with a quota, every five minutes; how many counts were wrong."""
    age = heartbeat_age(HEARTBEAT, now=now)
    if age is not None and age < EVERY:
        return 0
    with transaction.atomic(durable=True):
        beat(HEARTBEAT, now=now)
    limited: list[Subject] = [*Organization.objects.filter(quota__isnull=False).order_by("slug")]
    projects = Project.objects.filter(quota__isnull=False).select_related("organization")
    limited += projects.order_by("pk")
    return sum(recount_use(subject=subject, now=now) for subject in limited)


def recount_use(*, subject: Organization | Project, now: datetime) -> bool:
    """Measure it, set its count right, and note whether it is above its soft limit.

    True where the count was wrong. Uploads go on meanwhile and are counted: what is corrected is
    the difference of one moment.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ONE_AT_A_TIME])
        measured, counted = measured_use(subject)
        if measured != counted:
            _correct(subject, measured, counted)
        _note_standing(subject, measured, now=now)
    return measured != counted


def _correct(subject: Subject, measured: Use, counted: Use) -> None:
    wrong = [
        measured.files - counted.files,
        measured.logical_bytes - counted.logical_bytes,
        measured.physical_bytes - counted.physical_bytes,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_CORRECT, [subject.pk, CORRECTION, *wrong])
    logger.info("use recounted", extra={"subject": str(subject), "wrong": wrong})


def _note_standing(subject: Subject, measured: Use, *, now: datetime) -> None:
    quota = Quota.parse(subject.quota)
    is_over = quota is not None and quota.is_over_soft(measured)
    if is_over is (subject.over_soft_since is not None):
        return
    subject.over_soft_since = now if is_over else None
    subject.save(update_fields=["over_soft_since"])
    logger.warning("soft quota", extra={"subject": str(subject), "is_over": is_over})
