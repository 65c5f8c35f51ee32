"""Try a store for what direct uploads need, and keep the result for everybody."""

import logging
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from artifacts.domain.capabilities import missing_for_direct
from artifacts.models import StoreProbe
from artifacts.ports import CapabilityProbe

logger = logging.getLogger(__name__)

EVERY: Final = timedelta(days=1)


def probe_store(*, place: str, probe: CapabilityProbe, now: datetime) -> StoreProbe:
    """Try everything again, and keep what was found in place of the last result.

    Raises:
        StorageUnavailable: the store cannot be reached; the last result stays.
    """
    findings = probe.probe()
    missing = missing_for_direct({finding.name: finding.holds for finding in findings})
    found = StoreProbe(
        place=place,
        findings=[
            {"name": finding.name, "holds": finding.holds, "seen": finding.seen}
            for finding in findings
        ],
        missing_for_direct=missing,
        probed_at=now,
    )
    with transaction.atomic(durable=True):
        found.save()
    logger.info("store probed", extra={"place": place, "missing_for_direct": missing})
    return found


def probe_store_when_due(*, place: str, probe: CapabilityProbe | None, now: datetime) -> None:
    """The same if the last result is a day old, or there is none; a directory needs none.

    Raises:
        StorageUnavailable: the store cannot be reached; the last result stays.
    """
    recent = StoreProbe.objects.filter(place=place, probed_at__gte=now - EVERY)
    if probe is not None and not recent.exists():
        probe_store(place=place, probe=probe, now=now)
