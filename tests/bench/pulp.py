"""Pulp with its file plugin, where it is installed: the artifact server that people run today.

    python3.11 -m venv .cache/pulp && .cache/pulp/bin/pip install pulpcore==3.123 pulp-file==1.16

With a cheap password hasher, because its own costs a hundred milliseconds a request and says
nothing about how bytes are kept. Its database is a cluster of its own.
"""

import base64
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from config.embedded.postgres import SUPERUSER, Cluster, Passwords
from config.embedded.up import CHECKOUT
from tests.bench.contestants import until, whole
from tests.bench.load import Body, Links, Work
from tests.factories.children import child
from tests.factories.free_ports import free_port

CACHED: Final = CHECKOUT / ".cache" / "pulp" / "bin"
API: Final = "/pulp/api/v3"
PASSWORD: Final = "only-for-benchmarks"
WORKERS: Final = 2  # as many as the store's own web server has

_SETTINGS: Final = """
SECRET_KEY = "{secret}"
CONTENT_ORIGIN = "http://127.0.0.1:{content}"
DB_ENCRYPTION_KEY = "{folder}/key"
DEPLOY_ROOT = "{folder}"
MEDIA_ROOT = "{folder}/media"
STATIC_ROOT = "{folder}/static"
WORKING_DIRECTORY = FILE_UPLOAD_TEMP_DIR = "{folder}/work"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES = {{
    "default": {{
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "pulp", "USER": "{user}", "PASSWORD": "{password}", "HOST": "{sockets}",
    }}
}}
"""


def programs() -> Path | None:
    """The folder of Pulp's programs."""
    found = shutil.which("pulpcore-manager", path=f"{CACHED}:{os.environ['PATH']}")
    return Path(found).parent if found is not None else None


@dataclass
class Pulp:
    """Uploads are artifacts by the API; downloads come from a distribution by the content app."""

    name: str
    api: str
    content: str

    def upload(self, body: Body) -> Work:
        boundary = "a-part-of-nothing-else"
        head = (
            f"--{boundary}\r\nContent-Disposition: form-data; name="
            f'"file"; filename="file"\r\nContent-Type: application/octet-stream\r\n\r\n'
        ).encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        headers = {
            **self._headers,
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(len(head) + body.size + len(tail)),
        }

        def form() -> Iterator[bytes]:
            yield head
            yield from body.blocks()
            yield tail

        url = f"{self.api}{API}/artifacts/"
        return lambda links: links.ask("POST", url, form(), headers).status

    def download(self, body: Body) -> Work:
        url = f"{self.content}/pulp/content/bench/{body.label}"
        return lambda links: whole(links, url, body)

    def settle(self, bodies: Sequence[Body]) -> None:
        """Give the artifacts names in the repository that is distributed."""
        units = []
        for body in bodies:
            [artifact] = self._get(f"{API}/artifacts/?sha256={body.sha256()}")["results"]
            made = {"artifact": artifact["pulp_href"], "relative_path": body.label}
            units += self._task(f"{API}/content/file/files/", made)["created_resources"]
        [repository] = self._get(f"{API}/repositories/file/file/?name=bench")["results"]
        self._task(f"{repository['pulp_href']}modify/", {"add_content_units": units})

    def prepare(self) -> None:
        """A repository that publishes by itself, and where it is distributed."""
        repository = self._post(
            f"{API}/repositories/file/file/", {"name": "bench", "autopublish": True}
        )
        place = {"name": "bench", "base_path": "bench", "repository": repository["pulp_href"]}
        self._task(f"{API}/distributions/file/file/", place)

    def _task(self, path: str, document: object) -> dict[str, Any]:
        task = self._post(path, document)["task"]
        state: dict[str, Any] = {}

        def ended() -> bool:
            state.update(self._get(task))
            return state["state"] not in {"waiting", "running"}

        until(ended, f"Pulp's task for {path}")
        if state["state"] != "completed":
            raise SystemExit(f"Pulp could not: {state}")
        return state

    def _post(self, path: str, document: object) -> dict[str, Any]:
        headers = {**self._headers, "Content-Type": "application/json"}
        body = json.dumps(document).encode()
        answer: dict[str, Any] = json.loads(
            Links().ask("POST", self.api + path, body, headers).body
        )
        return answer

    def _get(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(
            Links().ask("GET", self.api + path, headers=self._headers).body
        )
        return answer

    @property
    def _headers(self) -> dict[str, str]:
        secret = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        return {"Authorization": f"Basic {secret}"}


@contextmanager
def running_pulp(folder: Path) -> Iterator[Pulp]:
    """Its API, its content app and one worker, over a new database."""
    there = programs()
    assert there is not None
    (folder / "work").mkdir(parents=True)
    (folder / "key").write_bytes(base64.urlsafe_b64encode(secrets.token_bytes(32)))
    cluster = Cluster(folder / "pg", folder / "sockets", Passwords(PASSWORD, PASSWORD, PASSWORD))
    api, content = free_port(), free_port()
    (folder / "settings.py").write_text(
        _SETTINGS.format(
            secret=secrets.token_hex(32),
            content=content,
            folder=folder,
            user=SUPERUSER,
            password=PASSWORD,
            sockets=cluster.sockets,
        )
    )
    environment = {
        **{name: os.environ[name] for name in ("HOME", "PATH", "LANG") if name in os.environ},
        "PULP_SETTINGS": str(folder / "settings.py"),
    }
    with ExitStack() as stack:
        stack.enter_context(_database(cluster, folder / "postgres.log"))
        for command in (["migrate"], ["reset-admin-password", "--password", PASSWORD]):
            subprocess.run(
                [there / "pulpcore-manager", *command],
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        for name, port, workers in (("api", api, WORKERS), ("content", content, WORKERS)):
            command = [str(there / f"pulpcore-{name}"), "-b", f"127.0.0.1:{port}"]
            command += ["--workers", str(workers)]
            stack.enter_context(child(command, folder / f"{name}.log", environment, port=port))
        worker = [str(there / "pulpcore-worker")]
        stack.enter_context(child(worker, folder / "worker.log", environment))
        pulp = Pulp("Pulp", f"http://127.0.0.1:{api}", f"http://127.0.0.1:{content}")
        pulp.prepare()
        yield pulp


@contextmanager
def _database(cluster: Cluster, log: Path) -> Iterator[None]:
    cluster.initialise()
    with child(cluster.command(), log, is_unprivileged=True):
        until(cluster.is_ready, "Pulp's database is ready")
        with psycopg.connect(cluster.superuser_url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE pulp")
        yield
