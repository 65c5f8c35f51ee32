"""A consumer's machine with the real command, and a store between them that can be made to lie."""

import http.client
import io
import json
import re
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from artifacts import wiring
from artifacts.models import Artifact, Build, Project
from artifacts.usecases.complete_build import complete_build
from artifacts.usecases.publish_file import Incoming
from artifacts.usecases.receive_file import Slot, receive_file
from artifacts.usecases.start_build import Wanted, start_build
from client import cli
from provenance.domain.build_facts import Platform, Witnessed
from provenance.domain.policy import Source
from provenance.models import Attestation
from provenance.queries import trust_root, trust_state
from provenance.usecases.grant_builders import grant_builders
from provenance.usecases.set_policy import set_policy
from tests.factories.actors import administrator, job
from tests.factories.facts import ISSUER, witnessed
from tests.journeys.conftest import Shop, digest_of

TOOL: Final = "dist/tool.bin"
FILES: Final = {TOOL: bytes(range(256)) * 8000, "dist/notes.txt": b"what is new"}
BUILDER: Final = f"{settings.PUBLIC_URL}/builders/github/hosted-unconfirmed/v1"


def publish(
    shop: Shop,
    files: dict[str, bytes],
    facts: Witnessed | None = None,
    project: Project | None = None,
) -> Build:
    """A CI job's build with these files, attested and published."""
    place, now = project or shop.project, timezone.now()
    actor = job(place, facts or witnessed())
    wanted = Wanted(place.organization.slug, place.slug)
    build = start_build(actor=actor, wanted=wanted, now=now).build
    for path, data in files.items():
        receive_file(
            actor=actor,
            slot=Slot(build.pk, path, settings.MAX_BUILD_FILES),
            incoming=Incoming(chunks=iter([data]), declared=digest_of(data)),
            store=wiring.blob_store(),
            counts=wiring.file_counts(),
            clock=timezone.now,
        )
    expected = {path: digest_of(data) for path, data in files.items()}
    complete_build(actor=actor, build=build.pk, expected=expected, now=timezone.now())
    shop.attest()
    return build


def trust_its_publisher(shop: Shop, **changes: Any) -> None:
    """The project's policy names acme/widget; the store's trust map grants GitHub's builders."""
    with transaction.atomic():
        set_policy(
            scope=shop.project.scope,
            sources=[Source(ISSUER, witnessed().repository_id, witnessed().owner_id)],
            actor=administrator(),
            now=timezone.now(),
            **changes,
        )
        grant_builders(
            issuer_name="github",
            platform=Platform.GITHUB,
            base_url=settings.PUBLIC_URL,
            actor=administrator(),
            now=timezone.now(),
        )


def bundle_of(build: Build) -> bytes:
    """The bundle of a build with one statement."""
    return Attestation.objects.get(request__build_id=build.pk).kept_bundle


def root() -> bytes:
    """The store's trust root, as its operator would hand it out."""
    return trust_root(version=trust_state().trust_root_version)


def artifact_of(build: Build, path: str = TOOL) -> Artifact:
    return Artifact.objects.get(build=build, path=path)


Change = Callable[[bytes], bytes]


class Between(ThreadingHTTPServer):
    """Hands every GET on to the real store, and changes answers as it was told: a lying store.

    `changes` are tried by the address, first match first. `cut_after` breaks the transfer of the
    next download behind so many bytes, once each; `stall_at` stops it there until the test ends.
    """

    daemon_threads = True

    def __init__(self, store_url: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.store = urlsplit(store_url).netloc
        self.changes: list[tuple[re.Pattern[str], Change]] = []
        self.cut_after: list[int] = []
        self.stall_at: int | None = None
        self.stalled, self.ended = threading.Event(), threading.Event()
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def forge(self, address: str, change: Change) -> None:
        """Change the answers whose address matches."""
        self.changes.append((re.compile(address), change))


class _Handler(BaseHTTPRequestHandler):
    server: Between

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers.items())))
        connection = http.client.HTTPConnection(self.server.store, timeout=60)
        passed = {name: value for name, value in self.headers.items() if name != "Host"}
        connection.request("GET", self.path, headers={**passed, "Connection": "close"})
        answer = connection.getresponse()
        body = answer.read()
        for pattern, change in self.server.changes:
            if pattern.search(self.path) and answer.status < 300:
                body = change(body)
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "server"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self._send(body)
        connection.close()

    def _send(self, body: bytes) -> None:
        if not self.path.endswith("/download"):
            self.wfile.write(body)
            return
        if self.server.stall_at is not None:
            self.wfile.write(body[: self.server.stall_at])
            self.wfile.flush()
            self.server.stalled.set()
            self.server.ended.wait(60)
            return
        cut = self.server.cut_after.pop(0) if self.server.cut_after else len(body)
        self.wfile.write(body[:cut])

    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def between(store_url: str) -> Iterator[Between]:
    """A running one."""
    server = Between(store_url)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def last(self) -> str:
        return (self.out.strip() or self.err.strip()).splitlines()[-1]


@dataclass(frozen=True)
class Machine:
    """A home folder and a working folder; the command runs in this process."""

    folder: Path
    store: str
    token: str
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "HOME": str(self.folder / "home"),
            "STRONGROOM_URL": self.store,
            "STRONGROOM_PROJECT": "acme/widget",
            "STRONGROOM_TOKEN": self.token,
            **self.more,
        }

    def run(self, *arguments: str) -> Ended:
        """Run `strongroom` with these arguments."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code = int(cli.run(arguments, self.environ))
            except SystemExit as ended:  # argparse's own
                code = int(str(ended.code))
        return Ended(code, out.getvalue(), err.getvalue())

    def pin(self, *, policy: bytes | None = None) -> None:
        """What a person did beforehand, with digests from elsewhere."""
        arguments = ["trust", "--trust-root-sha256", sha256(root()).hexdigest()]
        if policy is not None:
            arguments += ["--policy-sha256", sha256(policy).hexdigest()]
        project = {} if policy is not None else {"STRONGROOM_PROJECT": ""}
        ended = replace(self, more={**self.more, **project}).run(*arguments)
        assert ended.code == 0, ended

    def files(self) -> dict[str, bytes]:
        """Everything that is in the working folder, by name."""
        place = self.folder / "work"
        return {
            str(path.relative_to(place)): path.read_bytes()
            for path in sorted(place.rglob("*"))
            if path.is_file()
        }

    def at(self, name: str) -> str:
        return str(self.folder / "work" / name)


@dataclass(frozen=True)
class Scene:
    """A published build, a consumer who has pinned what to believe, and the store in between."""

    shop: Shop
    build: Build
    lying: Between
    machine: Machine

    def pull(self, *arguments: str) -> Ended:
        """Pull the tool, or these, into the working folder."""
        return self.machine.run("pull", *(arguments or (TOOL,)), "-o", f"{self.machine.at('')}/")


@contextmanager
def pinned(shop: Shop, folder: Path) -> Iterator[Scene]:
    """The scene before anybody lies."""
    trust_its_publisher(shop)
    build = publish(shop, FILES)
    (folder / "work").mkdir()
    with between(shop.web.url) as lying:
        machine = Machine(folder, lying.url, shop.tokens.reader)
        machine.pin(policy=expectations_of(machine))
        yield Scene(shop, build, lying, machine)


def expectations_of(machine: Machine) -> bytes:
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{machine.store}/api/v1/projects/acme/widget/expectations",
        headers={"Authorization": f"Bearer {machine.token}"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
        content: bytes = answer.read()
    return content
