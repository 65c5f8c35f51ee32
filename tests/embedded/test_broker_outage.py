"""A broker that is silent, emptied or gone delays attestations and nothing else."""

import json
import os
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis import Redis

from config.embedded.running import Running, running
from tests.embedded.family import ask, eventually, fetch, find, is_published, log_of, upload
from tests.factories.rabbitmq import RabbitMq

PROMPT_SECONDS = 30


@dataclass(frozen=True)
class Broker:
    """The broker of an instance: its processes, and what waits in it."""

    pids: Callable[[], list[int]]
    waiting: Callable[[], int]
    empty: Callable[[], object]


@pytest.fixture(scope="module", params=["valkey", "rabbitmq"])
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Running, Broker]]:
    data = tmp_path_factory.mktemp("broker") / "data"
    if request.param == "rabbitmq":
        rabbitmq = request.getfixturevalue("rabbitmq")
        assert isinstance(rabbitmq, RabbitMq)
        broker = Broker(lambda: [rabbitmq.process.pid], rabbitmq.waiting, rabbitmq.empty)
        with running(data, settings={"STRONGROOM_BROKER_URL": rabbitmq.url}) as started:
            yield started, broker
        return
    with running(data) as started, valkey(started) as client:
        yield (
            started,
            Broker(
                lambda: pids(started, "valkey"),
                lambda: int(client.llen("celery")),
                client.flushall,
            ),
        )


@pytest.fixture
def instance(both: tuple[Running, Broker]) -> Running:
    return both[0]


@pytest.fixture
def broker(both: tuple[Running, Broker]) -> Broker:
    return both[1]


def valkey(instance: Running) -> "Redis":
    password = (instance.home.secrets / "broker").read_text().strip()
    return Redis(unix_socket_path=str(instance.home.broker_socket), password=password)


def pids(instance: Running, *kinds: str) -> list[int]:
    return [process.pid for kind in kinds for process in find(instance.home, kind)]


@contextmanager
def stopped(halted: list[int]) -> Iterator[None]:
    """Processes that hold their connections open and say nothing."""
    assert halted
    for pid in halted:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in halted:
            os.kill(pid, signal.SIGCONT)


def test_acknowledges_uploads_while_the_broker_is_silent(instance: Running, broker: Broker) -> None:
    with stopped(broker.pids()):
        started = time.monotonic()
        artifact = upload(instance, "silent.txt")
        took = time.monotonic() - started
        ready = ask(instance, "GET", "/readyz")

    assert took < PROMPT_SECONDS
    assert ready["status"] == "degraded"
    assert not ready["checks"]["broker"]["ok"]
    assert ready["checks"]["database"]["ok"]
    eventually(lambda: is_published(instance, artifact), "it is published afterwards", seconds=60)
    assert ask(instance, "GET", "/readyz")["checks"]["broker"]["ok"]


def test_finds_work_whose_message_was_lost(instance: Running, broker: Broker) -> None:
    """The worker is halted, so that the message waits in the broker and is lost with it."""
    with stopped(pids(instance, "worker", "a pool child of the worker")):
        broker.empty()
        artifact = upload(instance, "emptied.txt")
        eventually(lambda: broker.waiting() > 0, "the message is in the broker")
        broker.empty()

    eventually(lambda: is_published(instance, artifact), "the sweep finds it", seconds=60)


def test_follows_a_request_into_the_worker(instance: Running) -> None:
    path = f"/api/v1/projects/{instance.report.project}/artifacts/followed.txt"
    request_id = fetch_with_id(instance, path, "followed-request-1")

    eventually(
        lambda: any(
            entry.get("message") == "build attested" and entry.get("request_id") == request_id
            for entry in log_lines(instance, "worker")
        ),
        "the worker's log names the request",
    )
    assert any(
        entry.get("message") == "artifact stored" and entry.get("request_id") == request_id
        for entry in log_lines(instance, "web")
    )


def fetch_with_id(instance: Running, path: str, request_id: str) -> str:
    request = urllib.request.Request(  # noqa: S310 - the instance under test
        instance.url + path,
        data=b"followed",
        method="PUT",
        headers={
            "Authorization": f"Bearer {instance.upload_token}",
            "X-Request-ID": request_id,
        },
    )
    with urllib.request.urlopen(request, timeout=90) as answer:  # noqa: S310 - as above
        return str(answer.headers["X-Request-ID"])


def log_lines(instance: Running, name: str) -> list[dict[str, object]]:
    lines = log_of(instance.home, name).splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def test_counts_what_happened(instance: Running) -> None:
    artifact = upload(instance, "counted.txt")
    eventually(lambda: is_published(instance, artifact), "it is published")
    fetch(instance, f"{instance.url}/api/v1/artifacts/{artifact['id']}/download")
    with pytest.raises(urllib.error.HTTPError):
        fetch(instance, f"{instance.url}/api/v1/artifacts/{'0' * 8}-0000-4000-8000-{'0' * 12}")

    text = fetch(instance, f"{instance.url}/metrics").decode()
    assert text.count("# TYPE strongroom_outbox_age_seconds gauge") == 1

    values = {
        name: float(value)
        for name, _, value in (line.rpartition(" ") for line in text.splitlines())
        if name and not name.startswith("#")
    }
    assert values['strongroom_uploads_total{outcome="stored"}'] >= 1
    assert values["strongroom_upload_bytes_total"] > 0
    assert values['strongroom_signing_seconds_count{signer="embedded"}'] >= 1
    assert values["strongroom_outbox_age_seconds"] < 60
    assert values["strongroom_attestation_age_seconds"] == 0
    assert any(
        name.startswith("strongroom_verifications_total") and 'verdict="allow"' in name
        for name in values
    )


def test_leaves_no_litter(instance: Running) -> None:
    assert list(Path(instance.home.blobs / "incoming").iterdir()) == []
