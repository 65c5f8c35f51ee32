"""The database is restarted while a batch is being signed: it is recorded, and not signed twice."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from kernel.connections import RESTART_PAUSES_SECONDS
from provenance.models import Attestation, RequestState
from provenance.usecases.attest_builds import Attestor, Endings, attest_builds
from tests.factories.facts import witnessed
from tests.factories.requests import requested

pytestmark = pytest.mark.django_db


@dataclass
class Restarting:
    """A database that fails so many times while a build is being published."""

    failures: int
    error: type[Exception] = OperationalError
    published: list[UUID] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    @property
    def endings(self) -> Endings:
        return Endings(publish=self._publish, refuse=self._refuse)

    def _publish(self, *, builds: Collection[UUID], now: datetime) -> None:
        assert now.tzinfo is not None
        if len(self.waited) < self.failures:
            raise self.error("terminating connection due to administrator command")
        self.published.extend(builds)

    def _refuse(self, *, build_id: UUID, reason: Mapping[str, object], now: datetime) -> None:
        raise AssertionError(f"build {build_id} was refused at {now}: {reason}")

    def attest(self, attestor: Attestor) -> None:
        patient = replace(attestor, wait=self.waited.append)
        attest_builds(attestor=patient, endings=self.endings, clock=timezone.now)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_records_what_was_signed_when_the_database_is_back(
    attestor: Attestor, error: type[Exception]
) -> None:
    request = requested(witnessed())
    database = Restarting(failures=2, error=error)

    database.attest(attestor)

    request.refresh_from_db()
    assert request.state == RequestState.ATTESTED
    assert database.published == [request.build_id]
    assert Attestation.objects.count() == 1
    assert database.waited == [0.5, 1.0]


def test_leaves_it_to_the_lease_when_the_database_stays_away(attestor: Attestor) -> None:
    request = requested(witnessed())
    database = Restarting(failures=100)

    with pytest.raises(OperationalError):
        database.attest(attestor)

    request.refresh_from_db()
    assert database.waited == list(RESTART_PAUSES_SECONDS)
    assert request.state == RequestState.PENDING
    assert not Attestation.objects.exists()


def test_waits_for_nothing_else(attestor: Attestor) -> None:
    requested(witnessed())
    database = Restarting(failures=1, error=ValueError)

    with pytest.raises(ValueError, match="terminating"):
        database.attest(attestor)

    assert database.waited == []
