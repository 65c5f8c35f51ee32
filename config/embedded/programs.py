"""The table of an instance's programs: what each is, what it may know, how it ends."""

import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

from config.embedded.environment import Instance, Role, environment_of
from config.embedded.ports import LOOPBACK
from config.embedded.valkey import Broker

WEB_WORKERS: Final = 2
# As many threads as the pool has database connections; a worker takes no more requests than that
# and a few, which wait in their connections instead of in memory.
WEB_THREADS: Final = 16
WEB_BACKPRESSURE: Final = 24
WORKER_PROCESSES: Final = 2
PROBE_SECONDS: Final = 3


def _always() -> bool:
    return True


def _nothing() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Program:
    """One child process.

    `prepare` is called before each start, when no process of the one before is left; `is_up` is
    asked while it runs; `grace_seconds` is its time to end.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 10
    prepare: Callable[[], None] = _nothing
    is_up: Callable[[], bool] = _always
    refuses_root: bool = False


def foundations(instance: Instance) -> list[Program]:
    """What the store stands on: they start together and need nothing."""
    tool = environment_of(instance, Role.TOOL)
    broker = Broker(instance.home.broker_socket, instance.credentials.broker)
    return [
        Program(
            name="postgres",
            command=instance.cluster.command(),
            environment={**tool, "LC_ALL": "C"},
            stop_signal=signal.SIGINT,  # ends its clients, writes everything down
            prepare=instance.cluster.forget_dead_server,
            is_up=instance.cluster.is_ready,
            refuses_root=True,
        ),
        Program(name="valkey", command=broker.command(), environment=tool, is_up=broker.is_ready),
        Program(
            name="issuer",
            command=python(
                "config.embedded.issuer",
                f"--port={instance.ports.issuer}",
                f"--keys={instance.home.issuer_keys}",
            ),
            environment=tool,
            is_up=lambda: answers(f"{instance.ports.issuer_url}/.well-known/openid-configuration"),
        ),
    ]


def store(instance: Instance) -> list[Program]:
    """The store's own processes; they need the schema."""
    shared = environment_of(instance, Role.STORE)
    celery = ("celery", "--app=config.celery")
    return [
        Program(name="relay", command=manage("relay"), environment=shared),
        Program(name="sealer", command=manage("seal_audit"), environment=shared),
        Program(
            name="worker",
            command=python(
                *celery,
                "worker",
                "--pool=prefork",
                f"--concurrency={WORKER_PROCESSES}",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
            ),
            environment=environment_of(instance, Role.ATTESTOR),
        ),
        Program(name="beat", command=python(*celery, "beat"), environment=shared),
        Program(
            name="web",
            command=python(
                "granian",
                "--interface=wsgi",
                f"--host={LOOPBACK}",
                f"--port={instance.ports.web}",
                "--http=1",
                "--no-ws",
                f"--workers={WEB_WORKERS}",
                f"--blocking-threads={WEB_THREADS}",
                f"--backpressure={WEB_BACKPRESSURE}",
                "--respawn-failed-workers",
                "--respawn-interval=0.5",
                "--workers-kill-timeout=5",
                "config.wsgi:application",
            ),
            environment=shared,
            is_up=lambda: answers(f"{instance.ports.url}/readyz"),
        ),
    ]


def migrate(instance: Instance) -> Program:
    """Brings the schema up to date; the only process that may."""
    return Program(
        name="migrate",
        command=manage("migrate_schema"),
        environment=environment_of(instance, Role.MIGRATOR),
    )


def bootstrap(instance: Instance) -> Program:
    """Makes what a first start needs (keys, an administrator, a project, tokens); prints JSON."""
    return Program(
        name="bootstrap",
        command=manage(
            "bootstrap_embedded",
            f"--issuer-url={instance.ports.issuer_url}",
            f"--admin-token-file={instance.home.admin_token}",
            f"--upload-token-file={instance.home.upload_token}",
        ),
        environment=environment_of(instance, Role.SETUP),
    )


def python(module: str, *arguments: str) -> list[str]:
    """A module of ours or of a library, run by this very interpreter."""
    return [sys.executable, "-m", module, *arguments]


def manage(*arguments: str) -> list[str]:
    """A management command."""
    return [sys.executable, "manage.py", *arguments]


def answers(url: str) -> bool:
    """Whether the address on this machine answers 200; no proxy is asked."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or LOOPBACK, parts.port, timeout=PROBE_SECONDS)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
