"""The sentence about an artifact's life …"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from artifacts.domain.retention import ASKED_BY_JOB, Cited, Decision, Level
from artifacts.models import Artifact, Organization, Project
from console.lifetime import sentence_of

ENDS = datetime(2027, 2, 19, 8, tzinfo=UTC)
BEFORE = ENDS - timedelta(seconds=1)
OURS = Cited("main-90d", Level.ORGANIZATION, 3, UUID(int=1))
MINE = Cited("releases", Level.PROJECT, 1, UUID(int=2))
ALL = Cited("all", Level.INSTANCE, 1)


@pytest.mark.parametrize(
    ("expiry", "now", "sentence"),
    [
        (Decision(None), ENDS, "For good: no retention rule ends it."),
        (
            Decision(ENDS, OURS),
            BEFORE,
            "Expires 2027-02-19 08:00 UTC by rule main-90d of organization acme.",
        ),
        (Decision(ENDS, ALL), ENDS, "Expired 2027-02-19 08:00 UTC by rule all of this store."),
        (
            Decision(ENDS, ASKED_BY_JOB),
            BEFORE,
            "Expires 2027-02-19 08:00 UTC by the wish of its job.",
        ),
        (
            Decision(ENDS, OURS, MINE),
            BEFORE,
            (
                "Expires 2027-02-19 08:00 UTC by rule main-90d of organization acme; "
                "rule releases of project acme/widget keeps it so long."
            ),
        ),
        (
            Decision(None, OURS, MINE),
            BEFORE,
            (
                "For now: rule releases of project acme/widget keeps it, "
                "against rule main-90d of organization acme."
            ),
        ),
    ],
)
def test_says_when_and_by_whose_rule(expiry: Decision, now: datetime, sentence: str) -> None:
    organization = Organization(id=UUID(int=1), slug="acme")
    artifact = Artifact(project=Project(id=UUID(int=2), organization=organization, slug="widget"))

    assert sentence_of(expiry, artifact, now=now) == sentence
