"""What the tests of the embedded instance see of its processes, and how they wait."""

import json
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psutil

from config.embedded.home import Home
from config.embedded.lineage import Lineage
from config.embedded.programs import answers
from config.embedded.running import Running

SECONDS: Final = 90
POSTGRES: Final = "postgres: "


def eventually(condition: Callable[[], bool], what: str, *, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} seconds"
        time.sleep(0.05)


def members(home: Home) -> list[psutil.Process]:
    return Lineage(f"{home.identity}:", home.cluster).members()


def find(home: Home, kind: str) -> list[psutil.Process]:
    """The processes of one kind, the table below by name."""
    found = []
    for process in members(home):
        try:
            command, parent = " ".join(process.cmdline()), process.parent()
            # Workers of granian and Celery look like the main process that started them.
            is_inner = parent is not None and parent.cmdline() == process.cmdline()
        except psutil.Error:
            continue
        if KINDS[kind](command, is_inner):
            found.append(process)
    return found


Matches = Callable[[str, bool], bool]

KINDS: Final[dict[str, Matches]] = {
    "postgres": lambda command, _: "/bin/postgres -D" in command,
    "a postgres backend": lambda command, _: command.startswith("postgres: strongroom_runtime"),
    "valkey": lambda command, _: "valkey-server" in command or "redis-server" in command,
    "issuer": lambda command, _: "config.embedded.issuer" in command,
    "relay": lambda command, _: "manage.py relay" in command,
    "sealer": lambda command, _: "manage.py seal_audit" in command,
    "worker": lambda command, inner: "--pool=prefork" in command and not inner,
    "a pool child of the worker": lambda command, inner: "--pool=prefork" in command and inner,
    "beat": lambda command, _: command.endswith(" beat"),
    "web": lambda command, inner: "granian" in command and "-c from" not in command and not inner,
    "a web worker": lambda command, inner: "granian" in command and inner,
    "guard": lambda command, _: "config.embedded.guard" in command,
}


def ask(
    instance: Running, method: str, path: str, body: bytes | dict[str, Any] | None = None
) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(fetch(instance, instance.url + path, method, body))
    return document


def fetch(
    instance: Running,
    url: str,
    method: str = "GET",
    body: bytes | dict[str, Any] | None = None,
    token: str | None = None,
) -> bytes:
    is_json = isinstance(body, dict)
    request = urllib.request.Request(  # noqa: S310 - the instance under test
        url,
        data=json.dumps(body).encode() if isinstance(body, dict) else body,
        method=method,
        headers={
            "Authorization": f"Bearer {token or instance.upload_token}",
            "Content-Type": "application/json" if is_json else "application/octet-stream",
        },
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=SECONDS) as answer:
        return bytes(answer.read())


def upload(instance: Running, name: str) -> dict[str, Any]:
    path = f"/api/v1/projects/{instance.report.project}/artifacts/{name}"
    return ask(instance, "PUT", path, f"the bytes of {name}".encode())


def is_published(instance: Running, artifact: dict[str, Any]) -> bool:
    path = f"/api/v1/artifacts/{artifact['id']}"
    return bool(ask(instance, "GET", path)["attestation"]["status"] == "published")


def upload_and_publish(instance: Running, name: str) -> dict[str, Any]:
    """The whole chain once: web, database, store, outbox, relay, broker, worker."""
    artifact = upload(instance, name)
    eventually(lambda: is_published(instance, artifact), f"{name} is published")
    return artifact


def is_ready(instance: Running) -> bool:
    return answers(f"{instance.url}/readyz")


def log_of(home: Home, name: str) -> str:
    return (Path(home.logs) / f"{name}.log").read_text(errors="replace")
