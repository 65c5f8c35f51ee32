"""Jobs that a platform is asked about: confirmed, refused, waited for, confirmed later."""

import json
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import pytest
from django.db import connection

from kernel.digest import Sha256
from provenance.domain.build_facts import Hosting, Witnessed
from provenance.domain.builders import Level
from provenance.models import Attestation, AttestationRequest, ConfirmationOutcome, RequestState
from tests.factories.confirming_store import WAIT, Store, builders
from tests.factories.facts import witnessed, witnessed_on_gitlab
from tests.factories.platform_doubles import PlatformDouble, just_before, knows

pytestmark = pytest.mark.django_db

SELF_HOSTED: Final = witnessed(hosting=Hosting.SELF_HOSTED)


def internal(attestation: Attestation) -> dict[str, Any]:
    statement = json.loads(bytes(attestation.request.statement or b""))
    found: dict[str, Any] = statement["predicate"]["buildDefinition"]["internalParameters"]
    return found


def test_signs_a_confirmed_job_as_confirmed(store: Store, platform: PlatformDouble) -> None:
    request = store.sealed(witnessed())
    knows(platform, witnessed())

    assert store.work() == 1

    request.refresh_from_db()
    attestation = Attestation.objects.get()
    assert store.published == [request.build_id]
    assert request.confirmation == ConfirmationOutcome.CONFIRMED
    assert internal(attestation)["upload"]["confirmed"] is True
    assert internal(attestation)["confirmation"] == request.confirmation_told
    assert internal(attestation)["confirmation"]["api"] == platform.url
    assert store.level(request) is Level.L2
    assert store.work(after=timedelta(hours=2)) == 0


def test_asks_nobody_about_jobs_of_issuers_that_were_not_configured(
    store: Store, platform: PlatformDouble
) -> None:
    requests = [
        store.sealed(witnessed(issuer_name="development")),
        store.sealed(witnessed_on_gitlab()),
        store.sealed(None),
    ]

    assert store.work() == 3

    assert platform.asked == []
    assert set(store.published) == {one.build_id for one in requests}
    assert not AttestationRequest.objects.exclude(
        confirmation=ConfirmationOutcome.NOT_ASKED
    ).exists()


def test_believes_no_row_that_says_confirmed(store: Store, platform: PlatformDouble) -> None:
    """What somebody who can write rows might try."""
    forged = store.sealed(witnessed(confirmed=True))
    forged.confirmation = ConfirmationOutcome.CONFIRMED
    forged.confirmation_told = {"api": "https://api.github.com"}
    forged.save()
    unasked = store.sealed(witnessed(confirmed=True, issuer_name="other"))
    knows(platform, witnessed(), head_sha="b" * 40)

    store.work()

    assert store.refused[forged.build]["code"] == "job-contradicted"
    attestation = Attestation.objects.get(request=unasked)
    assert internal(attestation)["upload"]["confirmed"] is False
    assert "confirmation" not in internal(attestation)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"head_sha": "b" * 40}, "commit"),
        ({"run_attempt": 2}, "run_attempt"),
        ({"run__path": ".github/workflows/other.yml"}, "workflow_path"),
        ({"run__repository__id": 1}, "repository_id"),
        ({"labels": ["self-hosted"]}, "hosting"),
    ],
)
def test_refuses_a_build_that_its_platform_contradicts(
    store: Store, platform: PlatformDouble, changes: dict[str, Any], field: str
) -> None:
    request = store.sealed(witnessed())
    knows(platform, witnessed(), **changes)

    store.work()

    request.refresh_from_db()
    assert request.state == RequestState.REFUSED
    assert request.confirmation == ConfirmationOutcome.REFUTED
    assert store.refused[request.build]["code"] == "job-contradicted"
    assert store.refused[request.build]["field"] == field
    assert not Attestation.objects.exists()
    assert store.work(after=timedelta(days=2)) == 0


def test_refuses_a_build_that_was_sealed_after_its_job(
    store: Store, platform: PlatformDouble
) -> None:
    late, in_time = witnessed(), witnessed(job_id="4711")
    ended = {"status": "completed", "conclusion": "success"}
    knows(platform, late, **ended, completed_at=just_before(store.now, minutes=2))
    knows(platform, in_time, **ended, completed_at=just_before(store.now, seconds=1))
    refused, accepted = store.sealed(late), store.sealed(in_time)

    store.work()

    assert store.refused[refused.build]["field"] == "in_progress_at_seal"
    assert store.published == [accepted.build_id]


def test_refuses_the_build_of_a_job_that_its_platform_does_not_know(
    store: Store, platform: PlatformDouble
) -> None:
    knows(platform, witnessed())
    unknown = store.sealed(witnessed(job_id="4711"))
    known = store.sealed(witnessed())

    store.work()

    assert store.refused[unknown.build]["code"] == "job-unknown"
    assert store.published == [known.build_id]


def test_attests_at_once_without_level_2_where_the_hosting_cannot_be_compared(
    store: Store, platform: PlatformDouble
) -> None:
    request = store.sealed(witnessed())
    knows(platform, witnessed(), runner_group_name="larger-runners", runner_group_id=7)

    store.work()

    request.refresh_from_db()
    assert request.confirmation == ConfirmationOutcome.INCOMPLETE
    assert builders() == ["hosted-unconfirmed"]
    assert store.level(request) is Level.L1
    assert AttestationRequest.objects.count() == 1


def test_gives_no_self_hosted_job_level_2(store: Store, platform: PlatformDouble) -> None:
    honest = store.sealed(SELF_HOSTED)
    knows(platform, SELF_HOSTED, labels=["self-hosted"], runner_group_name="Default")
    store.work()
    assert builders() == ["self-hosted-confirmed"]
    assert store.level(honest) is Level.L1

    lied_about = store.sealed(SELF_HOSTED)
    knows(platform, SELF_HOSTED)  # hosted, the platform says
    store.work()
    assert store.refused[lied_about.build]["field"] == "hosting"


def test_waits_for_a_platform_then_attests_as_unconfirmed(
    store: Store, platform: PlatformDouble
) -> None:
    request = store.sealed(witnessed())
    platform.fails(500)

    assert store.work() == 1
    request.refresh_from_db()
    assert request.state == RequestState.PENDING
    assert request.last_error is not None
    assert request.last_error["code"] == "platform-unavailable"
    assert request.last_error["reason"] == "the API answers with status 500"
    assert store.now < request.next_attempt_at < store.now + timedelta(seconds=5)
    assert store.work() == 0
    while not store.published:
        request.refresh_from_db()
        assert request.next_attempt_at <= request.sealed_at + WAIT
        assert store.work(after=request.next_attempt_at - store.now) == 1

    assert store.now == request.sealed_at + WAIT
    request.refresh_from_db()
    assert request.state == RequestState.ATTESTED
    assert request.confirmation == ConfirmationOutcome.UNREACHABLE
    assert builders() == ["hosted-unconfirmed"]
    assert store.level(request) is Level.L1


def test_confirms_a_job_whose_platform_comes_back_in_time(
    store: Store, platform: PlatformDouble
) -> None:
    request = store.sealed(witnessed())
    platform.fails(500)
    store.work()
    platform.recovers()
    knows(platform, witnessed())

    store.work(after=timedelta(seconds=10))

    assert builders() == ["hosted-confirmed"]
    assert store.published == [request.build_id]
    assert AttestationRequest.objects.count() == 1


def test_asks_again_when_the_rate_limit_says(store: Store, platform: PlatformDouble) -> None:
    request = store.sealed(witnessed())
    platform.fails(429, Retry_After="120")
    store.work()

    request.refresh_from_db()
    assert request.next_attempt_at == store.now + timedelta(seconds=120)
    platform.recovers()
    knows(platform, witnessed())
    assert store.work(after=timedelta(seconds=119)) == 0
    assert store.work(after=timedelta(seconds=1)) == 1
    assert builders() == ["hosted-confirmed"]


def test_never_waits_longer_than_its_patience_for_a_rate_limit(
    store: Store, platform: PlatformDouble
) -> None:
    request = store.sealed(witnessed())
    platform.fails(403, Retry_After="3600")
    store.work()

    request.refresh_from_db()
    assert request.next_attempt_at == store.now + WAIT
    store.work(after=WAIT)
    assert store.published == [request.build_id]


def test_publishes_a_build_of_two_jobs_when_both_are_attested(
    store: Store, platform: PlatformDouble
) -> None:
    first_job, second_job = witnessed(), witnessed(job_id="4711")
    first = store.sealed(first_job)
    store.sealed(second_job, build=first.build_id, digests=[Sha256("cd" * 32)])
    platform.fails(503)
    store.work()
    platform.recovers()
    knows(platform, first_job)
    knows(platform, second_job, status="queued")
    store.work(after=timedelta(seconds=30))
    assert Attestation.objects.count() == 1
    assert store.published == []

    store.work(after=WAIT)  # the second one's job is never shown as started

    assert store.published == [first.build_id]
    assert builders() == ["hosted-confirmed", "hosted-unconfirmed"]


def test_lets_no_slow_platform_hold_others_up(store: Store, platform: PlatformDouble) -> None:
    hanging, has_answered = threading.Event(), threading.Event()

    class Slow:
        issuers = frozenset({"slow", "github"})

        def ask(self, facts: Witnessed, **asked: Any) -> Any:
            if facts.issuer_name == "slow":
                hanging.wait(60)
                has_answered.set()
            return inner.ask(facts, **asked)

    inner = platform.platforms("github")
    knows(platform, witnessed())
    store.attestor = replace(store.attestor, confirmation=Slow())
    slow = store.sealed(witnessed(issuer_name="slow"))
    fast = store.sealed(witnessed())
    unasked = store.sealed(witnessed_on_gitlab())

    store.work()

    assert not has_answered.is_set()
    hanging.set()
    assert set(store.published) == {fast.build_id, unasked.build_id}
    slow.refresh_from_db()
    assert slow.last_error is not None
    assert slow.last_error["reason"] == "too slow"


def test_lets_a_row_that_cannot_be_read_hurt_no_other(
    store: Store, platform: PlatformDouble
) -> None:
    knows(platform, witnessed())
    broken, good = store.sealed(witnessed()), store.sealed(witnessed())
    AttestationRequest.objects.filter(pk=broken.pk).update(facts={"issuer_name": "github"})

    store.work()

    broken.refresh_from_db()
    assert store.published == [good.build_id]
    assert broken.last_error is not None
    assert broken.last_error["code"] == "malformed-facts"


@pytest.mark.django_db(transaction=True)
def test_leaves_a_request_to_who_has_taken_its_lease_over(
    store: Store, platform: PlatformDouble
) -> None:
    request = store.sealed(witnessed())
    knows(platform, witnessed(), head_sha="b" * 40)
    inner = platform.platforms("github")

    class Overtaken:
        issuers = frozenset({"github"})

        def ask(self, facts: Witnessed, **asked: Any) -> Any:
            AttestationRequest.objects.filter(pk=request.pk).update(lease=UUID(int=5))
            connection.close()
            return inner.ask(facts, **asked)

    store.attestor = replace(store.attestor, confirmation=Overtaken())

    store.work()

    request.refresh_from_db()
    assert request.lease == UUID(int=5)
    assert request.state == RequestState.PENDING
    assert store.refused == {}
