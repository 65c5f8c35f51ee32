"""The outbox: an event is told with its fact or not at all, and a dead relay loses none."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar
from uuid import UUID

import pytest
import structlog
from django.db import connection, transaction
from django.utils import timezone

from kernel.outbox.emit import NoTransaction, beat, emit
from kernel.outbox.models import OutboxEvent
from kernel.outbox.queries import heartbeat_age, oldest_event_age
from kernel.outbox.relay import LEASE, relay_once

NOW = timezone.now()
WHO = UUID(int=7)
Sent = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Happened:
    name: ClassVar[str] = "test.happened"
    who: UUID


ROUTES = {"test.happened": ["first", "second"]}


def tell(count: int = 1) -> None:
    with transaction.atomic():
        for _ in range(count):
            emit(Happened(who=WHO), now=NOW)


@pytest.mark.django_db(transaction=True)
def test_refuses_an_event_outside_of_a_transaction() -> None:
    assert not connection.in_atomic_block
    with pytest.raises(NoTransaction):
        emit(Happened(who=WHO), now=NOW)


@pytest.mark.django_db(transaction=True)
def test_forgets_the_event_of_a_fact_that_was_rolled_back() -> None:
    with transaction.atomic():
        emit(Happened(who=WHO), now=NOW)
        transaction.set_rollback(True)

    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db
def test_sends_every_task_of_an_event_with_the_request_id() -> None:
    sent: Sent = []
    with structlog.contextvars.bound_contextvars(request_id="request-1234"):
        tell()

    count = relay_once(routes=ROUTES, publish=lambda *task: sent.append(task), now=NOW)

    assert count == 1
    assert sent == [
        ("first", "request-1234"),
        ("second", "request-1234"),
    ]
    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db
def test_sends_a_task_once_for_all_events_of_a_batch() -> None:
    for request_id in ("request-1", "request-2"):
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            tell()
    with transaction.atomic():
        OutboxEvent.objects.create(name="test.other", payload={}, emitted_at=NOW)
    sent: Sent = []
    routes = {**ROUTES, "test.other": ["second", "third"]}

    count = relay_once(routes=routes, publish=lambda *task: sent.append(task), now=NOW)

    assert count == 3
    assert sent == [("first", "request-1"), ("second", "request-1"), ("third", "")]
    assert not OutboxEvent.objects.exists()


@pytest.mark.django_db
def test_keeps_what_a_silent_broker_did_not_take_and_sends_it_later() -> None:
    tell()
    with transaction.atomic():
        for _ in range(2):
            OutboxEvent.objects.create(name="test.other", payload={}, emitted_at=NOW)
    routes = {**ROUTES, "test.other": ["third"]}
    sent: Sent = []

    def publish(*task: object) -> None:
        if len(sent) == 2:
            raise TimeoutError
        sent.append(task)  # type: ignore[arg-type]  # the two arguments of Publish

    with pytest.raises(TimeoutError):
        relay_once(routes=routes, publish=publish, now=NOW)
    assert OutboxEvent.objects.count() == 2

    again: Sent = []
    send = again.append
    assert relay_once(routes=routes, publish=lambda *task: send(task), now=NOW) == 2
    assert again == [("third", "")]


@pytest.mark.django_db
def test_waits_for_the_lease_of_a_relay_that_was_killed() -> None:
    tell(2)
    OutboxEvent.objects.update(leased_until=NOW + LEASE)
    sent: Sent = []

    assert relay_once(routes=ROUTES, publish=lambda *task: sent.append(task), now=NOW) == 0
    after_lease = NOW + LEASE + timedelta(seconds=1)
    assert relay_once(routes=ROUTES, publish=lambda *task: sent.append(task), now=after_lease) == 2


@pytest.mark.django_db
def test_keeps_an_event_of_newer_code_without_holding_up_others() -> None:
    with transaction.atomic():
        OutboxEvent.objects.create(name="test.newer", payload={}, emitted_at=NOW)
    tell()
    sent: Sent = []

    assert relay_once(routes=ROUTES, publish=lambda *task: sent.append(task), now=NOW) == 1

    assert len(sent) == 2  # the tasks of the other one
    assert [event.name for event in OutboxEvent.objects.all()] == ["test.newer"]


@pytest.mark.django_db
def test_tells_the_age_of_what_waits_and_of_what_beats() -> None:
    assert oldest_event_age(now=NOW) == timedelta(0)
    assert heartbeat_age("sweep", now=NOW) is None
    tell()
    beat("sweep", now=NOW)
    beat("sweep", now=NOW + timedelta(seconds=1))

    assert oldest_event_age(now=NOW + timedelta(seconds=5)) == timedelta(seconds=5)
    assert heartbeat_age("sweep", now=NOW + timedelta(seconds=5)) == timedelta(seconds=4)
