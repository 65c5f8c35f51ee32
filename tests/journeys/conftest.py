"""The real web server over the test database, real curl, and the worker's work on demand."""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from django.conf import settings
from django.db import connection
from django.utils import timezone
from playwright.sync_api import Browser

from access.usecases.create_token import create_token
from artifacts.models import Project
from artifacts.usecases.create_organization import create_organization
from artifacts.usecases.create_project import create_project
from artifacts.wiring import endings
from kernel.actor import Permission
from kernel.digest import Sha256
from provenance.usecases.attest_builds import Attestor, attest_builds
from tests.environment import SCRATCH
from tests.factories.actors import administrator
from tests.factories.attestor import new_attestor
from tests.factories.browser import program, running_browser
from tests.factories.free_ports import free_port

START_SECONDS: Final = 90
ROOT: Final = Path(__file__).resolve().parent.parent.parent
WIDGET: Final = bytes(range(256)) * 5000
_PR_SET_PDEATHSIG: Final = 1
# A request has moments between two transactions.
_SILENT_TIMES: Final = 3
_WORKING: Final = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND backend_type = 'client backend' AND state <> 'idle'
"""


@dataclass(frozen=True, slots=True)
class Web:
    """A running web server. `url` is where it listens; links it gives start with PUBLIC_URL."""

    url: str
    pid: int
    log: Path

    def at(self, public_url: str) -> str:
        """Where a link that the server gave can be reached from here."""
        assert public_url.startswith(settings.PUBLIC_URL)
        return self.url + public_url.removeprefix(settings.PUBLIC_URL)

    def workers(self) -> list[int]:
        """The processes that answer requests."""
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [
            int(child)
            for child in children
            if b"granian" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]


@contextmanager
def running_web(*, port: int = 0, **settings_changed: str) -> Iterator[Web]:
    """Run granian as config/embedded does, with these environment variables different."""
    port = port or free_port()
    log = SCRATCH / f"web-{port}.log"
    environment = {
        **os.environ,
        **settings_changed,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "granian", "--interface=wsgi", "--host=127.0.0.1"]
    command += [f"--port={port}", "--http=1", "--no-ws", "--workers=1", "--blocking-threads=8"]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*command, "config.wsgi:application"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
            preexec_fn=_die_with_the_tests,  # noqa: PLW1509 - the tests have one thread here
        )
    web = Web(f"http://127.0.0.1:{port}", server.pid, log)
    try:
        _await_start(web, server)
        yield web
    finally:
        server.terminate()
        server.wait(timeout=START_SECONDS)


@pytest.fixture(scope="session")
def web(django_db_setup: None) -> Iterator[Web]:  # noqa: ARG001 - the tables are there
    """The server that most journeys share."""
    with running_web() as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if program() is None:
        pytest.skip("chromium is not installed: .ci/run installs it")
    with running_browser() as running:
        yield running


@dataclass(frozen=True, slots=True)
class Answer:
    """What curl saw. Header names are lowercase; `error` is curl's own complaint."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    error: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document

    def is_problem(self, code: str) -> bool:
        """Whether this is the problem document of that code, as every refusal must be."""
        assert self.headers["content-type"] == "application/problem+json", self
        assert self.json["status"] == self.status
        assert self.json["type"].endswith(f"/problems/{code}"), self.json
        return bool(self.json["code"] == code)


@pytest.fixture
def curl(tmp_path: Path) -> Callable[..., Answer]:
    """Run the real curl."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not on PATH")

    def run(*arguments: str, stdin: bytes | None = None, token: str | None = None) -> Answer:
        headers, body = tmp_path / "curl.headers", tmp_path / "curl.body"
        body.write_bytes(b"")
        command = [program, "-sS", "-D", str(headers), "-o", str(body)]
        if token is not None:
            command += ["-H", f"Authorization: Bearer {token}"]
        finished = subprocess.run(
            [*command, *arguments], input=stdin, capture_output=True, check=False, timeout=120
        )
        # The last block is the final answer; `100 Continue` may stand before it.
        blocks = headers.read_text().strip().split("\n\n")
        first, *lines = blocks[-1].splitlines()
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        received = body.read_bytes()
        if "--head" in arguments:  # where curl writes the headers once more
            received = received.rpartition(b"\r\n\r\n")[2]
        return Answer(
            status=int(first.split()[1]),
            headers={name.lower(): value.strip() for name, value in pairs},
            body=received,
            error=finished.stderr.decode(),
        )

    return run


def digest_of(data: bytes) -> Sha256:
    """The digest of these bytes."""
    return Sha256(sha256(data).hexdigest())


def declare(data: bytes, header: str = "Repr-Digest") -> tuple[str, str]:
    """curl's arguments that declare the digest of these bytes."""
    return ("-H", f"{header}: {digest_of(data).field}")


def half_received() -> list[Path]:
    """What the store holds of bytes that are still arriving, or never will."""
    return list((SCRATCH / "blobs" / "incoming").glob("*"))


@dataclass(frozen=True, slots=True)
class Tokens:
    """Secrets for one project."""

    uploader: str
    reader: str
    stranger: str


@dataclass(frozen=True, slots=True)
class Shop:
    """A private project behind a running server, with tokens, and a worker on demand."""

    web: Web
    project: Project
    tokens: Tokens
    attestor: Attestor = field(repr=False)

    @property
    def url(self) -> str:
        """The project's address."""
        return f"{self.web.url}/api/v1/projects/{self.project}"

    def upload_url(self, path: str) -> str:
        """Where an artifact goes."""
        return f"{self.url}/artifacts/{path}"

    def attest(self) -> None:
        """Do what the worker does until nothing is due."""
        while attest_builds(attestor=self.attestor, endings=endings(), clock=timezone.now):
            pass


@pytest.fixture
def shop(web: Web, transactional_db: None, tmp_path: Path) -> Iterator[Shop]:  # noqa: ARG001 - really committed
    """A fresh organization, project, signer and set of tokens."""
    now = timezone.now()
    create_organization(actor=administrator(), slug="acme", now=now)
    project = create_project(
        actor=administrator(), organization="acme", slug="widget", is_public=False, now=now
    )
    other = create_project(
        actor=administrator(), organization="acme", slug="other", is_public=False, now=now
    )
    tokens = Tokens(
        uploader=_token(project, Permission.UPLOAD, Permission.READ),
        reader=_token(project, Permission.READ),
        stranger=_token(other, Permission.UPLOAD, Permission.READ),
    )
    yield Shop(web, project, tokens, new_attestor(tmp_path))
    _await_silence()


def _await_silence() -> None:
    """Until no request works on the tables, which are emptied next: its client may be gone."""
    deadline, silent = time.monotonic() + START_SECONDS, 0
    while silent < _SILENT_TIMES:
        assert time.monotonic() < deadline, "a request did not end"
        with connection.cursor() as cursor:
            cursor.execute(_WORKING)
            [(working,)] = cursor.fetchall()
        silent = 0 if working else silent + 1
        time.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Shelf:
    """One uploaded artifact, and curl in the hands of somebody who may read it."""

    shop: Shop
    curl: Callable[..., Answer]
    artifact: dict[str, Any]

    def get(self, part: str = "download", *arguments: str) -> Answer:
        token = self.shop.tokens.reader
        return self.curl(*arguments, self.url(part), token=token)

    def head(self, *arguments: str) -> Answer:
        return self.get("download", "--head", *arguments)

    def url(self, part: str = "download") -> str:
        """Where one of the artifact's addresses can be reached from here."""
        return self.shop.web.at(self.artifact["urls"][part])


@pytest.fixture
def pending(shop: Shop, curl: Callable[..., Answer], tmp_path: Path) -> Shelf:
    file = tmp_path / "file"
    file.write_bytes(WIDGET)
    path = "dist/na%C3%AFve%20widget.bin"
    answer = curl("-T", str(file), shop.upload_url(path), token=shop.tokens.uploader)
    assert answer.status == 201
    return Shelf(shop, curl, answer.json)


@pytest.fixture
def shelf(pending: Shelf) -> Shelf:
    pending.shop.attest()
    return pending


def _token(project: Project, *permissions: Permission) -> str:
    created = create_token(
        name="a token",
        project=project,
        permissions=permissions,
        life=timedelta(hours=1),
        actor=administrator(),
        now=timezone.now(),
    )
    return created.secret


def _die_with_the_tests() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _await_start(web: Web, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{web.url}/healthz", timeout=5).close()  # noqa: S310 - loopback
        except OSError as error:  # refused, cut off, or too slow on a busy machine
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(
                    f"the web server did not start ({error}): {web.log.read_text()[-3000:]}"
                )
            time.sleep(0.05)
        else:
            return
