"""A platform that was away when a build was published: a second statement, or none."""

import logging
from datetime import timedelta

import pytest

from provenance.domain.builders import Level
from provenance.models import Attestation, AttestationRequest, RequestState
from provenance.queries import oldest_pending_age, request_statuses
from provenance.usecases.attest_confirmed_jobs import GIVEN_UP_AFTER
from tests.factories.confirming_store import WAIT, Store, builders
from tests.factories.facts import witnessed
from tests.factories.platform_doubles import PlatformDouble, knows

pytestmark = pytest.mark.django_db


def unconfirmed(store: Store, platform: PlatformDouble) -> AttestationRequest:
    """A build that is published as unconfirmed, because its platform was away."""
    request = store.sealed(witnessed())
    platform.fails(503)
    store.work()
    store.work(after=WAIT)
    request.refresh_from_db()
    assert request.state == RequestState.ATTESTED
    return request


def test_signs_a_second_statement_when_the_platform_confirms_later(
    store: Store, platform: PlatformDouble
) -> None:
    first = unconfirmed(store, platform)
    before = Attestation.objects.get().kept_bundle
    assert store.level(first) is Level.L1
    platform.recovers()
    knows(
        platform,
        witnessed(),
        status="completed",
        conclusion="success",
        completed_at=store.now.isoformat(),
    )

    assert store.work(after=timedelta(minutes=5)) == 1

    second = AttestationRequest.objects.get(confirms=first)
    assert builders() == ["hosted-unconfirmed", "hosted-confirmed"]
    assert store.level(first) is Level.L2
    assert Attestation.objects.get(request=first).kept_bundle == before
    assert second.subjects == first.subjects
    assert second.sealed_at == first.sealed_at
    assert store.published == [first.build_id]
    assert [one.confirmation for one in request_statuses(build=first.build)] == ["confirmed"]
    assert store.work(after=timedelta(days=1)) == 0


def test_gives_a_second_statement_up_after_a_day(store: Store, platform: PlatformDouble) -> None:
    first = unconfirmed(store, platform)
    second = AttestationRequest.objects.get(confirms=first)
    assert oldest_pending_age(now=store.now) == timedelta(0)

    attempts = 0
    while second.state == RequestState.PENDING:
        attempts += store.work(after=second.next_attempt_at - store.now)
        second.refresh_from_db()

    assert second.state == RequestState.GIVEN_UP
    assert store.now == first.sealed_at + GIVEN_UP_AFTER
    assert 20 < attempts < 40
    assert Attestation.objects.count() == 1
    assert store.level(first) is Level.L1
    assert [one.state for one in request_statuses(build=first.build)] == ["attested"]


def test_leaves_a_published_build_alone_that_its_platform_contradicts_later(
    store: Store, platform: PlatformDouble, caplog: pytest.LogCaptureFixture
) -> None:
    first = unconfirmed(store, platform)
    platform.recovers()
    knows(platform, witnessed(), head_sha="b" * 40)

    store.work(after=timedelta(minutes=5))

    second = AttestationRequest.objects.get(confirms=first)
    assert second.state == RequestState.REFUSED
    assert store.refused == {}
    assert Attestation.objects.count() == 1
    assert [r.levelno for r in caplog.records if r.message == "job refuted"] == [logging.ERROR]


def test_signs_no_second_statement_where_the_hosting_cannot_be_compared(
    store: Store, platform: PlatformDouble
) -> None:
    first = unconfirmed(store, platform)
    platform.recovers()
    knows(platform, witnessed(), runner_group_name="larger-runners")

    store.work(after=timedelta(minutes=5))

    assert AttestationRequest.objects.get(confirms=first).state == RequestState.GIVEN_UP
    assert Attestation.objects.count() == 1
