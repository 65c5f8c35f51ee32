"""The end of the trash: removals asked for, attested and buried, as the workers do it."""

from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet

from artifacts.models import Tombstone
from artifacts.usecases.bury_removed import bury_removed
from artifacts.usecases.empty_trash import empty_trash
from artifacts.wiring import endings
from provenance.models import Attestation
from provenance.usecases.attest_builds import Attestor
from provenance.usecases.attest_removals import attest_removals


def ask(now: datetime) -> int:
    """How many files are now named by a removal that waits."""
    return empty_trash(base_url=settings.PUBLIC_URL, now=now)


def attest(attestor: Attestor, now: datetime) -> int:
    """How many tombstones came of it."""
    before = Tombstone.objects.count()
    attest_removals(attestor=attestor, endings=endings(), bury=bury_removed, clock=lambda: now)
    return Tombstone.objects.count() - before


def bury(attestor: Attestor, now: datetime) -> int:
    """Both."""
    ask(now)
    return attest(attestor, now)


def removal_attestations() -> QuerySet[Attestation]:
    """Those of removals, the oldest first."""
    return Attestation.objects.filter(build_id=None).order_by("recorded_at", "id")
