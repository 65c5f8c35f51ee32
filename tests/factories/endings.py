"""Evidence that is old enough to end, and its end by an operator; see also graves."""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from artifacts.domain.evidence_clock import KeptBy
from artifacts.models import Project
from artifacts.queries.ending import Amount, evidence_over
from artifacts.usecases.end_evidence import Ending, Save, end_evidence
from config.owner import as_owner
from provenance.usecases.save_bundles import save_nothing
from tests.factories.actors import administrator
from tests.factories.graves import Gone, gone

DAYS: Final = 400
NOW: Final = timezone.now()
FIRST: Final = NOW - timedelta(days=900)
OVER: Final = NOW - timedelta(days=DAYS)


def long_gone(project: Project, path: str = "a") -> Gone:
    """A build whose evidence may end since a moment."""
    return gone(project, path, first=FIRST, buried_at=OVER)


def end(save: Save = save_nothing) -> Amount:
    """What an operator does."""
    ending = Ending(DAYS, save)
    with as_owner():
        return end_evidence(
            ending=ending, actor=administrator(), clock=lambda: NOW, told=lambda _so_far: None
        )


def has_ended(one: Gone) -> bool:
    """Whether its bundle is kept no more."""
    one.attestation.refresh_from_db()
    return one.attestation.end is not None


def kept() -> dict[KeptBy | None, int]:
    """How many builds are old enough, by what keeps them."""
    over = evidence_over(life=timedelta(days=DAYS), now=NOW)
    return {why: amount.builds for why, amount in over.items()}
