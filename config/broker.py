"""How the broker is spoken to, by the relay, the beat, the workers and `/readyz` alike.

Redis or Valkey, and RabbitMQ. Every wait has an end: a broker that takes connections and stays
silent delays attestations, and must not hang whoever asks it. Over TLS the broker's certificate
is verified, which kombu does for neither of them unless it is told to.
"""

import socket
import ssl
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from kombu import Connection, Queue
from kombu.exceptions import KombuError
from kombu.transport import TRANSPORT_ALIASES

from config.redis_transport import TRANSPORT

QUEUE: Final = "celery"
TIMEOUT_SECONDS: Final = 5
# A worker whose broker has vanished without a word notices after two of these.
HEARTBEAT_SECONDS: Final = 20
# What a nudge had to say, the sweeps have said again by then: nobody's absence fills the broker.
NUDGE_SECONDS: Final = 600

_AMQP: Final = frozenset({"amqp", "amqps"})
_TLS: Final = frozenset({"amqps", "rediss"})

# Celery's `broker_transport` would do, but for `redis+socket`, where kombu looks here only.
TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), TRANSPORT))


class _Opened(Protocol):
    """A py-amqp connection, as far as it is used here."""

    sock: socket.socket


def settings_for(url: str, *, ca_file: Path | None) -> dict[str, Any]:
    """What Celery must be told about the broker at `url`."""
    return {
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # a worker outlives any outage of the broker
        "broker_connection_timeout": TIMEOUT_SECONDS,
        "broker_heartbeat": HEARTBEAT_SECONDS,
        "broker_transport_options": transport_options(url),
        "broker_use_ssl": tls(url, ca_file=ca_file),
        "task_queues": [Queue(QUEUE, durable=True, message_ttl=NUDGE_SECONDS)],
        "task_default_queue": QUEUE,
        # RabbitMQ keeps the queue. Its messages it may lose: the sweep finds what they said.
        "task_default_delivery_mode": "transient",
    }


def transport_options(url: str, *, seconds: float = TIMEOUT_SECONDS) -> dict[str, Any]:
    """Kombu's options for the broker at `url`: no try of its own, no wait without an end."""
    if _scheme(url) not in _AMQP:
        # A worker that asked, and was never answered, asks again after three times as long.
        return {
            "max_retries": 0,
            "socket_timeout": seconds,
            "socket_connect_timeout": seconds,
            "health_check_interval": seconds,
        }

    def bound(opened: _Opened) -> None:
        # py-amqp's read_timeout is tried again for ever; the socket's own ends the wait.
        opened.sock.settimeout(seconds)

    # Without confirmation a message that a full or dying RabbitMQ drops looks like a sent one.
    return {"max_retries": 0, "confirm_publish": True, "on_open": bound}


def tls(url: str, *, ca_file: Path | None) -> dict[str, Any] | bool:
    """Kombu's TLS options: the broker proves its name to `ca_file`, or to the system's roots."""
    scheme = _scheme(url)
    if scheme not in _TLS:
        return False
    roots = str(ca_file) if ca_file is not None else None
    if scheme in _AMQP:
        # `server_hostname` None: kombu fills in the address's host.
        return {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": roots, "server_hostname": None}
    options = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    return options if roots is None else {**options, "ssl_ca_certs": roots}


def failures(connection: Connection) -> tuple[type[BaseException], ...]:
    """What a publisher must expect: kombu wraps some of a transport's errors and not others."""
    return (KombuError, OSError, *connection.connection_errors, *connection.channel_errors)


def _scheme(url: str) -> str:
    return urlsplit(url).scheme
