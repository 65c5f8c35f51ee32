"""Both brokers as the relay meets them: what it hands over arrives, and no silence holds it."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from celery import Celery
from kombu import Consumer, Message, Queue
from redis import Redis

from config.broker import QUEUE, settings_for
from config.embedded.valkey import Broker
from config.management.commands.relay import Outlet
from tests.embedded.family import eventually
from tests.factories.rabbitmq import RabbitMq

PASSWORD = "only-for-tests"
DRAIN_SECONDS = 60


@dataclass(frozen=True)
class Case:
    """A broker, its process, and how many messages wait in it."""

    url: str
    pid: int
    waiting: Callable[[], int]


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    broker = Broker(tmp_path_factory.mktemp("valkey") / "valkey.sock", PASSWORD)
    with subprocess.Popen(broker.command(), stdout=subprocess.DEVNULL) as process:
        try:
            eventually(broker.is_ready, "Valkey is ready")
            url = f"redis+socket://:{PASSWORD}@{broker.socket}"
            with client(url) as redis:
                yield Case(url, process.pid, lambda: int(redis.llen("celery")))
        finally:
            process.kill()


def client(url: str) -> Redis:
    return Redis(unix_socket_path=url.partition("@")[2], password=PASSWORD)


@pytest.fixture(params=["valkey", "rabbitmq"])
def case(request: pytest.FixtureRequest) -> Case:
    server = request.getfixturevalue(request.param)
    if isinstance(server, RabbitMq):
        return Case(server.url, server.process.pid, server.waiting)
    assert isinstance(server, Case)
    return server


Outlets = Callable[..., Outlet]


def celery_at(url: str, *, ca_file: Path | None = None) -> Celery:
    app = Celery("test", broker=url)
    app.conf.update(settings_for(url, ca_file=ca_file))
    return app


@pytest.fixture
def outlet() -> Iterator[Outlets]:
    """Makes a relay's outlet to a broker; all are closed at the end."""
    made: list[Outlet] = []

    def make(url: str, *, ca_file: Path | None = None) -> Outlet:
        made.append(Outlet(celery_at(url, ca_file=ca_file)))
        return made[-1]

    yield make
    for one in made:
        one.hang_up()


@contextmanager
def halted(pid: int) -> Iterator[None]:
    """Every thread of it stands still; a signal alone does not wait until they do."""
    os.kill(pid, signal.SIGSTOP)
    threads = psutil.Process(pid).threads()
    eventually(lambda: all(_is_stopped(pid, thread.id) for thread in threads), "it stands still")
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def _is_stopped(pid: int, thread: int) -> bool:
    """By proc(5): the state follows the name, which stands in brackets."""
    stat = Path(f"/proc/{pid}/task/{thread}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "T"


def send(given: Outlet) -> None:
    given.publish("kernel.sweep", "request-1")


def test_hands_a_task_over(outlet: Outlets, case: Case) -> None:
    given = outlet(case.url)
    send(given)
    before = case.waiting()

    send(given)

    assert case.waiting() == before + 1


def test_is_not_held_by_a_broker_that_falls_silent(outlet: Outlets, case: Case) -> None:
    """pytest's own timeout would be the one to end it: the broker speaks again only afterwards."""
    given = outlet(case.url)
    send(given)

    with halted(case.pid), pytest.raises(given.failures):
        send(given)
    given.hang_up()

    send(given)


def test_is_not_held_by_a_broker_that_was_silent_before(outlet: Outlets, case: Case) -> None:
    given = outlet(case.url)

    with halted(case.pid), pytest.raises(given.failures):
        send(given)
    given.hang_up()

    send(given)


def test_counts_no_late_answer_for_another_message(outlet: Outlets, rabbitmq: RabbitMq) -> None:
    """Confirmations have no names here: what came late must not pass for the next one's."""
    given = outlet(rabbitmq.url)
    send(given)
    with halted(rabbitmq.process.pid), pytest.raises(given.failures):
        send(given)

    given.hang_up()
    with halted(rabbitmq.process.pid), pytest.raises(given.failures):
        send(given)


def test_asks_for_more_when_the_broker_was_silent_to_an_acknowledgement(
    outlet: Outlets, valkey: Case
) -> None:
    """Celery logs the failure and keeps the connection: its place must be free for the next."""
    given = outlet(valkey.url)
    with client(valkey.url) as redis:
        redis.flushall()
    send(given)

    with celery_at(valkey.url).connection_for_read() as connection:
        received: list[Message] = []
        consumer = Consumer(connection, [Queue(QUEUE)], on_message=received.append)
        consumer.qos(prefetch_count=1)
        with consumer:
            connection.drain_events(timeout=DRAIN_SECONDS)
            with halted(valkey.pid), pytest.raises(given.failures):
                received[0].ack()
            send(given)
            connection.drain_events(timeout=DRAIN_SECONDS)

    assert len(received) == 2


def test_is_told_by_a_broker_that_is_full(outlet: Outlets, valkey: Case) -> None:
    given = outlet(valkey.url)
    with client(valkey.url) as redis:
        redis.config_set("maxmemory", 1)
        try:
            with pytest.raises(given.failures):
                send(given)
        finally:
            redis.config_set("maxmemory", "128mb")

    send(given)


def test_is_told_by_a_broker_that_does_not_know_the_password(
    outlet: Outlets, rabbitmq: RabbitMq
) -> None:
    given = outlet(rabbitmq.url.replace("only-for-tests", "another"))

    with pytest.raises(given.failures):
        send(given)


def test_speaks_tls_with_the_broker_that_it_knows(outlet: Outlets, rabbitmq: RabbitMq) -> None:
    before = rabbitmq.waiting()

    send(outlet(rabbitmq.tls_url, ca_file=rabbitmq.certificate))

    assert rabbitmq.waiting() == before + 1


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_tells_no_password_to_a_broker_that_it_does_not_know(
    outlet: Outlets, rabbitmq: RabbitMq, host: str
) -> None:
    """Of an unknown authority; and of the known one, for another name."""
    known = rabbitmq.certificate if host == "127.0.0.2" else None
    before = rabbitmq.waiting()
    given = outlet(rabbitmq.tls_url.replace("127.0.0.1", host), ca_file=known)

    with pytest.raises(given.failures, match="certificate verify failed"):
        send(given)

    assert rabbitmq.waiting() == before
