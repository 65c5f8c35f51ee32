"""Attesting: one statement counts for each request, whatever dies, lies or comes twice."""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connections, transaction
from django.utils import timezone

from kernel.actor import Actor
from kernel.digest import Sha256
from provenance.domain.statement import parse
from provenance.errors import SignerRefused, SignerUnavailable
from provenance.models import (
    Attestation,
    AttestationRequest,
    AttestationSubject,
    LogLeaf,
    RequestState,
    TreeKind,
)
from provenance.ports import Signed, SigningJob
from provenance.usecases.attest_builds import BATCH, LEASE, Attestor, Endings, attest_builds
from provenance.usecases.publish_trust_root import publish_trust_root
from tests.factories.blocked import is_anybody_blocked
from tests.factories.facts import witnessed
from tests.factories.requests import requested

ROOT = Path(__file__).resolve().parent.parent.parent.parent
Answers = list[Signed | SignerRefused | SignerUnavailable]


@dataclass
class Builds:
    """The owner of builds, as attesting sees it."""

    published: list[UUID] = field(default_factory=list)
    refused: dict[UUID, Mapping[str, object]] = field(default_factory=dict)

    @property
    def endings(self) -> Endings:
        return Endings(publish=self._publish, refuse=self._refuse)

    def _publish(self, *, builds: Collection[UUID], now: datetime) -> None:
        assert now.tzinfo is not None
        self.published.extend(builds)

    def _refuse(self, *, build_id: UUID, reason: Mapping[str, object], now: datetime) -> None:
        assert now.tzinfo is not None
        self.refused[build_id] = reason


@dataclass
class Otherwise:
    """A signer that does something else with what the real one answers."""

    real: Attestor
    change: Callable[[Sequence[SigningJob], Callable[[Sequence[SigningJob]], Answers]], Answers]
    name: str = "otherwise"
    batches_at_once: int = 1

    def sign(self, jobs: Sequence[SigningJob]) -> Answers:
        return self.change(jobs, self.real.signer.sign)


@pytest.fixture
def builds() -> Builds:
    return Builds()


def run(attestor: Attestor, builds: Builds, *, after: timedelta = timedelta(0)) -> int:
    return attest_builds(
        attestor=attestor, endings=builds.endings, clock=lambda: timezone.now() + after
    )


@pytest.mark.django_db
def test_attests_and_publishes_a_sealed_build(attestor: Attestor, builds: Builds) -> None:
    request = requested(witnessed(), digests=[Sha256("ab" * 32), Sha256("cd" * 32)])

    assert run(attestor, builds) == 1

    request.refresh_from_db()
    attestation = Attestation.objects.get()
    assert request.state == RequestState.ATTESTED
    assert builds.published == [request.build_id]
    assert attestation.request_id == request.pk
    assert {s.sha256 for s in AttestationSubject.objects.all()} == {"ab" * 32, "cd" * 32}
    assert len(parse(bytes(request.statement or b"")).subjects) == 2


@pytest.mark.django_db
def test_attests_as_published_where_no_job_was_witnessed(
    attestor: Attestor, builds: Builds
) -> None:
    requested(None)

    run(attestor, builds)

    assert Attestation.objects.get().predicate_type == "https://in-toto.io/attestation/release/v0.2"


@pytest.mark.django_db
def test_does_nothing_when_the_message_comes_again(attestor: Attestor, builds: Builds) -> None:
    requested(witnessed())
    run(attestor, builds)

    assert run(attestor, builds) == 0

    assert Attestation.objects.count() == 1
    assert len(builds.published) == 1


@pytest.mark.django_db
def test_gives_identical_bytes_of_two_builds_two_statements(
    attestor: Attestor, builds: Builds
) -> None:
    requested(witnessed())
    requested(witnessed(run_id="9000000002"))

    run(attestor, builds)

    assert Attestation.objects.count() == 2
    assert len({bytes(one.statement or b"") for one in AttestationRequest.objects.all()}) == 2


@pytest.mark.django_db
def test_refuses_for_good_what_can_never_be_attested(attestor: Attestor, builds: Builds) -> None:
    request = requested(witnessed(event="pull_request_target"))
    twin = requested(witnessed(event="push"))

    run(attestor, builds)

    request.refresh_from_db()
    assert request.state == RequestState.REFUSED
    assert builds.refused[request.build]["code"] == "unattestable-event"
    assert builds.published == [twin.build_id]


def lie_about(**changes: object) -> Callable[..., Answers]:
    """Sign something else than was asked: still a genuine bundle, of the store's own keys."""

    def change(jobs: Sequence[SigningJob], sign: Callable[..., Answers]) -> Answers:
        return sign([replace(job, **changes) for job in jobs])  # type: ignore[arg-type]  # any field

    return change


def swap(jobs: Sequence[SigningJob], sign: Callable[..., Answers]) -> Answers:
    return list(reversed(sign(jobs)))


def other_statement(jobs: Sequence[SigningJob], sign: Callable[..., Answers]) -> Answers:
    edited = [
        replace(job, statement=job.statement.replace(b"refs/tags/v1.4.0", b"refs/tags/v6.6.6"))
        for job in jobs
    ]
    return sign(edited)


def garbage(jobs: Sequence[SigningJob], _sign: Callable[..., Answers]) -> Answers:
    return [Signed(b"{}") for _job in jobs]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (swap, "build-mismatch"),
        (other_statement, "statement-differs"),
        (
            lie_about(identity="http://store.test/builders/github/hosted-confirmed/v1"),
            "identity-mismatch",
        ),
        (garbage, "malformed-bundle"),
    ],
)
def test_keeps_no_bundle_that_is_not_what_was_asked(
    attestor: Attestor, builds: Builds, change: Callable[..., Answers], reason: str
) -> None:
    requests = [requested(witnessed(run_id=str(run_id))) for run_id in (1, 2)]
    liar = replace(attestor, signer=Otherwise(attestor, change))

    run(liar, builds)

    assert not Attestation.objects.exists()
    assert not builds.published
    for request in requests:
        request.refresh_from_db()
        assert request.state == RequestState.PENDING
        assert request.last_error is not None
        assert request.last_error["reason"] == reason
        assert request.next_attempt_at > timezone.now()
    assert run(attestor, builds, after=timedelta(minutes=1)) == 2
    assert Attestation.objects.count() == 2


@pytest.mark.django_db
def test_believes_no_signer_whose_keys_are_not_in_the_trust_root(
    attestor: Attestor, builds: Builds
) -> None:
    request = requested(witnessed())
    foreign = (
        ROOT / "tests/assets/sigstore-conformance/intoto-with-custom-trust-root/trusted_root.json"
    ).read_bytes()
    with transaction.atomic():
        publish_trust_root(document=foreign, actor=Actor("operator"), now=timezone.now())

    run(attestor, builds)

    request.refresh_from_db()
    assert not Attestation.objects.exists()
    assert request.last_error is not None
    assert request.last_error["code"] == "signer-refused"
    assert request.last_error["reason"] == "chain-invalid"


@pytest.mark.django_db
def test_keeps_no_genuine_bundle_that_is_given_for_another_build(
    attestor: Attestor, builds: Builds
) -> None:
    requested(witnessed())
    run(attestor, builds)
    genuine = Attestation.objects.get().kept_bundle
    waiting = requested(witnessed(run_id="2"))
    replayed = Otherwise(attestor, lambda _jobs, _sign: [Signed(genuine)])

    run(replace(attestor, signer=replayed), builds)

    waiting.refresh_from_db()
    assert Attestation.objects.count() == 1
    assert waiting.last_error is not None
    assert waiting.last_error["reason"] == "build-mismatch"


def _at(moment: datetime) -> datetime:
    return moment


@pytest.mark.django_db
def test_waits_longer_after_each_failure_and_says_why(attestor: Attestor, builds: Builds) -> None:
    request = requested(witnessed())

    def refuse(_jobs: Sequence[SigningJob], _sign: Callable[..., Answers]) -> Answers:
        raise SignerUnavailable(reason="log-down")

    down = replace(attestor, signer=Otherwise(attestor, refuse))
    waits = []
    for attempt in range(1, 12):
        now = timezone.now() + timedelta(hours=2 * attempt)
        attest_builds(attestor=down, endings=builds.endings, clock=partial(_at, now))
        request.refresh_from_db()
        waits.append(request.next_attempt_at - now)

    assert request.attempts == 11
    assert request.last_error == {"code": "signer-unavailable", "reason": "log-down"}
    assert waits == sorted(waits)
    assert waits[0] < timedelta(seconds=3)
    assert timedelta(minutes=2) <= waits[-1] <= timedelta(minutes=2.5)
    assert run(down, builds, after=timedelta(hours=22)) == 0  # not due yet


@pytest.mark.django_db
def test_lets_one_failure_of_a_batch_hurt_no_other(attestor: Attestor, builds: Builds) -> None:
    for number in range(4):
        requested(witnessed(run_id=str(number)))

    def one_fails(jobs: Sequence[SigningJob], sign: Callable[..., Answers]) -> Answers:
        answers = sign(jobs)
        answers[2] = SignerRefused(reason="rate-limited")
        return answers

    run(replace(attestor, signer=Otherwise(attestor, one_fails)), builds)

    assert Attestation.objects.count() == 3
    assert AttestationRequest.objects.get(state=RequestState.PENDING).last_error["reason"]  # type: ignore[index]


@pytest.mark.django_db
def test_lets_no_unreadable_row_hold_up_the_queue(attestor: Attestor, builds: Builds) -> None:
    unreadable, twin = requested(witnessed()), requested(witnessed())
    AttestationRequest.objects.filter(pk=unreadable.pk).update(facts={"platform": "unknown"})

    run(attestor, builds)

    unreadable.refresh_from_db()
    assert builds.published == [twin.build_id]
    assert unreadable.last_error is not None
    assert unreadable.last_error["code"] == "malformed-facts"
    assert unreadable.next_attempt_at > timezone.now()


@pytest.mark.django_db
def test_takes_over_when_a_worker_died_and_lets_a_late_one_record_nothing(
    attestor: Attestor, builds: Builds
) -> None:
    """The first worker signs so slowly that its lease runs out and a second one overtakes it."""
    requested(witnessed())

    def overtaken(jobs: Sequence[SigningJob], sign: Callable[..., Answers]) -> Answers:
        answers = sign(jobs)
        assert run(attestor, builds) == 0  # leased: nobody else may start yet
        assert run(attestor, builds, after=LEASE + timedelta(seconds=1)) == 1
        return answers

    run(replace(attestor, signer=Otherwise(attestor, overtaken)), builds)

    assert Attestation.objects.count() == 1
    assert len(builds.published) == 1
    tlog = LogLeaf.objects.filter(tree__kind=TreeKind.STATEMENTS)
    assert tlog.count() == 2  # both are in the log; one counts


@pytest.mark.django_db(transaction=True)
def test_publishes_a_build_whose_last_two_statements_are_recorded_at_once(
    attestor: Attestor,
) -> None:
    """Each worker has one of them, and neither sees what the other has not committed yet."""
    now = timezone.now()
    late = now + timedelta(seconds=1)
    early = requested(witnessed(), now=now)
    requested(witnessed(job_id="2"), build=early.build_id, now=late)
    other = requested(witnessed(job_id="3"), now=now)
    published: list[UUID] = []

    def publish(*, builds: Collection[UUID], now: datetime) -> None:  # noqa: ARG001 - the port's shape
        published.extend(builds)
        if other.build_id in builds:  # the first worker has looked, and has not committed
            second.start()
            while second.is_alive() and not is_anybody_blocked():
                second.join(0.01)

    endings = Endings(publish=publish, refuse=lambda **_build: None)

    def work() -> None:
        try:
            attest_builds(attestor=attestor, endings=endings, clock=lambda: late)
        finally:
            connections.close_all()

    second = threading.Thread(target=work)
    attest_builds(attestor=attestor, endings=endings, clock=lambda: now)
    second.join()

    assert published == [other.build_id, early.build_id]


@pytest.mark.django_db(transaction=True)
def test_counts_one_statement_a_request_with_several_workers_at_once(
    attestor: Attestor, builds: Builds
) -> None:
    count = 3 * BATCH
    for number in range(count):
        requested(witnessed(run_id=str(number)))

    def work() -> None:
        try:
            while run(attestor, builds):
                pass
        finally:
            connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert Attestation.objects.count() == count
    assert sorted(builds.published) == sorted(
        request.build for request in AttestationRequest.objects.all()
    )


@pytest.mark.django_db(transaction=True)
def test_signs_two_batches_side_by_side_where_the_signer_says_so(
    attestor: Attestor, builds: Builds
) -> None:
    for number in range(2 * BATCH):
        requested(witnessed(run_id=str(number)))
    met = threading.Barrier(2, timeout=60)

    def together(jobs: Sequence[SigningJob], sign: Callable[..., Answers]) -> Answers:
        met.wait()  # one batch alone would break it
        return sign(jobs)

    paired = replace(attestor, signer=Otherwise(attestor, together, batches_at_once=2))
    assert run(paired, builds) == 2 * BATCH
    assert Attestation.objects.count() == len(set(builds.published)) == 2 * BATCH
