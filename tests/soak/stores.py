"""Two running stores whose every neighbour stands behind a gate.

One is on RabbitMQ and signs by itself; one is on Valkey and signs with a private Sigstore
instance, whose Fulcio asks the store itself who is signing.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from redis import Redis

from config.embedded.running import Running, running
from config.embedded.up import CHECKOUT
from config.embedded.valkey import Broker
from tests.embedded.family import eventually
from tests.factories.free_ports import free_ports
from tests.factories.private_sigstore.doubles import Forward, double
from tests.factories.private_sigstore.instance import SERVICES, running_instance
from tests.factories.private_sigstore.serving import Answer, Request
from tests.factories.rabbitmq import running_rabbitmq
from tests.soak.gate import Gate, gate

PASSWORD: Final = "only-for-tests-of-this-run"
STEPS: Final = ("claimed", "certified", "logged", "signed", "recorded")
Mood = Callable[[Request, Forward], Answer]


def honest(request: Request, forward: Forward) -> Answer:
    return forward(request)


@dataclass
class Service:
    """One service of the Sigstore instance: its gate, and how it answers behind it."""

    gate: Gate
    moods: list[Mood]

    @contextmanager
    def in_a_mood(self, mood: Mood) -> Iterator[None]:
        """Answers otherwise for a while."""
        self.moods.append(mood)
        try:
            yield
        finally:
            self.moods.pop()


@dataclass
class Store:
    """A store, its broker, and what else can be broken."""

    name: str
    instance: Running
    broker: Gate
    empty_broker: Callable[[], object]
    services: dict[str, Service] = field(default_factory=dict)
    triggers: dict[str, Path] = field(default_factory=dict)


@contextmanager
def on_rabbitmq(folder: Path) -> Iterator[Store]:
    """The store that signs by itself; its worker can be killed at each step."""
    (folder / "rabbitmq").mkdir()
    triggers = {step: folder / step for step in STEPS}
    with (
        running_rabbitmq(folder / "rabbitmq") as rabbitmq,
        gate(("127.0.0.1", rabbitmq.port)) as broker,
        running(
            folder / "data",
            settings={
                "STRONGROOM_BROKER_URL": rabbitmq.url.replace(
                    f":{rabbitmq.port}", f":{broker.port}"
                ),
                "STRONGROOM_PROFILE": "test",
                "STRONGROOM_FAULT_POINTS": " ".join(
                    f"provenance.{step}={trigger}" for step, trigger in triggers.items()
                ),
            },
        ) as instance,
    ):
        yield Store("RabbitMQ", instance, broker, rabbitmq.empty, triggers=triggers)


@contextmanager
def on_valkey(folder: Path) -> Iterator[Store]:
    """The store that signs with a Sigstore instance."""
    (port,) = free_ports(1)
    with ExitStack() as stack:
        redis, broker = stack.enter_context(_valkey(folder))
        (folder / "sigstore").mkdir()
        sigstore = stack.enter_context(
            running_instance(folder / "sigstore", issuer=f"http://127.0.0.1:{port}")
        )
        services = {
            name: stack.enter_context(_service(getattr(sigstore, name))) for name in SERVICES
        }
        config = sigstore.signing_config_with(
            folder / "signing_config.json",
            {name: service.gate.url for name, service in services.items()},
        )
        signing = {
            "STRONGROOM_SIGNER": "sigstore",
            "STRONGROOM_SIGSTORE_TRUSTED_ROOT": str(sigstore.trusted_root),
            "STRONGROOM_SIGSTORE_SIGNING_CONFIG": str(config),
        }
        url = f"redis://:{PASSWORD}@127.0.0.1:{broker.port}/0"
        instance = stack.enter_context(
            running(folder / "data", port=port, settings={"STRONGROOM_BROKER_URL": url, **signing})
        )
        _initialise(instance, signing)
        yield Store("Valkey", instance, broker, redis.flushall, services)


@contextmanager
def _valkey(folder: Path) -> Iterator[tuple[Redis, Gate]]:
    server = Broker(folder / "valkey.sock", PASSWORD)
    with subprocess.Popen(server.command(), stdout=subprocess.DEVNULL) as process:
        try:
            eventually(server.is_ready, "Valkey is ready")
            with (
                gate(str(server.socket)) as broker,
                Redis(unix_socket_path=str(server.socket), password=PASSWORD) as redis,
            ):
                yield redis, broker
        finally:
            process.kill()


@contextmanager
def _service(real: str) -> Iterator[Service]:
    moods: list[Mood] = [honest]

    def answer(request: Request, forward: Forward) -> Answer:
        return moods[-1](request, forward)

    with double(real, answer) as address:
        parts = urlsplit(address)
        with gate((parts.hostname or "", parts.port or 0)) as before:
            yield Service(before, moods)


def _initialise(instance: Running, signing: dict[str, str]) -> None:
    """As an operator does it: the issuer's key, and the trust root with the instance in it."""
    subprocess.run(
        [sys.executable, "manage.py", "init_signer"],
        cwd=CHECKOUT,
        env={
            **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "STRONGROOM_ENV_FILE": str(instance.home.environment),
            "STRONGROOM_ATTESTOR_KEY_FILE": str(instance.home.secrets / "attestor.key"),
            **signing,
        },
        check=True,
        capture_output=True,
    )


def slow(seconds: float) -> Mood:
    """Answers rightly, and late."""

    def answer(request: Request, forward: Forward) -> Answer:
        time.sleep(seconds)
        return forward(request)

    return answer


def always(answer: Answer) -> Mood:
    """Answers everybody the same."""
    return lambda _request, _forward: answer
