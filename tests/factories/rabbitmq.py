"""A real RabbitMQ for tests: Debian's, on loopback, with its own folders and port mapper.

Erlang's port mapper would outlive the server that starts it, and listen everywhere: ours is a
child of the tests. Nothing of the system's own service is used or touched.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import amqp

from tests.factories.ci_issuer import certificate_for
from tests.factories.free_ports import free_ports
from tests.factories.private_sigstore.namespace import die_with_the_parent

PROGRAM: Final = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
USER: Final = "strongroom"
PASSWORD: Final = "only-for-tests-of-this-run"
QUEUE: Final = "celery"
START_SECONDS: Final = 90


@dataclass(frozen=True, slots=True)
class RabbitMq:
    """Where it listens, its process (to be halted), and the certificate that it shows."""

    port: int
    tls_port: int
    certificate: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Its address, as Celery reads it."""
        return f"amqp://{USER}:{PASSWORD}@127.0.0.1:{self.port}//"

    @property
    def tls_url(self) -> str:
        """The same over TLS, under the name that its certificate has."""
        return f"amqps://{USER}:{PASSWORD}@127.0.0.1:{self.tls_port}//"

    def waiting(self) -> int:
        """How many messages wait in the queue."""
        with self._channel() as channel:
            declared: tuple[str, int, int] = channel.queue_declare(QUEUE, passive=True)
            return declared[1]

    def empty(self) -> int:
        """Throw the queue's messages away, and say how many there were."""
        with self._channel() as channel:
            purged: int = channel.queue_purge(QUEUE)
            return purged

    @contextmanager
    def _channel(self) -> Iterator[Any]:
        with _connected(self.port) as connection:
            yield connection.channel()


def is_installed() -> bool:
    """Whether Debian's package is there."""
    return PROGRAM.exists() and shutil.which("epmd") is not None


@contextmanager
def running_rabbitmq(folder: Path) -> Iterator[RabbitMq]:
    """A server that is ready, and killed at the end; over TLS it is `127.0.0.1`.

    Over TLS it listens on 127.0.0.2 too, where its certificate is another's.
    """
    certificate = certificate_for("127.0.0.1", folder)
    mapper, distribution, port, tls_port = free_ports(4)
    _configure(folder, port, tls_port, certificate)
    environment = {
        **{name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ},
        "HOME": str(folder),  # Erlang keeps its cookie there
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "ERL_EPMD_PORT": str(mapper),
        "RUNNING_UNDER_SYSTEMD": "true",  # else a shell stands between us and the server
        "RABBITMQ_NODENAME": f"strongroom{port}@localhost",
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_CONF_ENV_FILE": os.devnull,
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            # Idle schedulers spin otherwise, which costs the tests half a core.
            "-kernel inet_dist_use_interface {127,0,0,1} -start_epmd false +sbwt none"
        ),
    }
    with (
        (folder / "output").open("wb") as output,
        _child(["epmd", "-address", "127.0.0.1", "-port", str(mapper)], environment, output),
        _child([str(PROGRAM)], environment, output) as process,
    ):
        _await(port, process, folder)
        yield RabbitMq(port, tls_port, certificate, process)


def _configure(folder: Path, port: int, tls_port: int, certificate: Path) -> None:
    lines = (
        f"listeners.tcp.1 = 127.0.0.1:{port}",
        f"listeners.ssl.1 = 127.0.0.1:{tls_port}",
        f"listeners.ssl.2 = 127.0.0.2:{tls_port}",
        f"ssl_options.certfile = {certificate}",
        f"ssl_options.keyfile = {certificate}",
        f"default_user = {USER}",
        f"default_pass = {PASSWORD}",
        "vm_memory_high_watermark.absolute = 512MB",
        "disk_free_limit.absolute = 1MB",
    )
    (folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n")
    (folder / "plugins").write_text("[].")


@contextmanager
def _child(
    command: list[str], environment: dict[str, str], output: object
) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,  # type: ignore[call-overload]  # a file
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=die_with_the_parent,  # noqa: PLW1509 - as everywhere in the tests
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)


def _connected(port: int) -> amqp.Connection:
    """A connection; it is made and closed by `with`."""
    address = f"127.0.0.1:{port}"
    return amqp.Connection(address, userid=USER, password=PASSWORD, connect_timeout=2)


def _await(port: int, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            with _connected(port):
                return
        except (OSError, amqp.AMQPError):
            time.sleep(0.1)
    raise AssertionError(f"RabbitMQ did not start: {(folder / 'output').read_text()[-2000:]}")
