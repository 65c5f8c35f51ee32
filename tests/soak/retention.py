"""Uploads, downloads and all that takes bytes away, at once: `python -m tests.soak.retention`.

A whole store on a folder, and one on S3 (versitygw): jobs upload under `live/` and `old/`, often
the same bytes; what is `old/` ages at once and goes by plan after plan; collector, reconciliation
and scrub run without pause; workers and cleaners are killed (SIGKILL) at random. No download of a
live artifact may fail once it is published, and nothing acknowledged may be lost. Prints figures.
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from config.embedded.running import Running, running
from config.embedded.up import CHECKOUT
from tests.embedded.family import ask, eventually, fetch, find
from tests.factories.s3_server import is_installed, running_s3
from tests.soak.uploads import database, is_drained

POLICY: Final = {
    "document": {"expire": [{"name": "old", "when": {"paths": ["old/**"]}, "after_days": 90}]}
}
JOBS: Final = 2
READERS: Final = 2
PAUSE_SECONDS: Final = 0.1
GRACE_SECONDS: Final = 5.0
# The supervisor gives up what dies five times within a minute.
KILLED_EVERY_SECONDS: Final = (16.0, 30.0)
CONTENTS: Final = 150  # so few that bytes often come again while they are being collected
DRAIN_SECONDS: Final = 180
VICTIMS: Final = ("worker", "a pool child of the worker", "cleaner")
AGE: Final = """
    UPDATE artifact SET stored_at = stored_at - interval '100 days'
    WHERE path LIKE 'old/%' AND stored_at > now() - interval '50 days'
"""
# The sweep buries it when its removal is attested.
FORGET: Final = (
    "UPDATE trashed_artifact SET restorable_until = now() WHERE restorable_until > now()"
)
LOST: Final = """
    SELECT count(*) FROM unnest(%s::uuid[]) AS told (id)
    WHERE NOT EXISTS (SELECT FROM artifact WHERE artifact.id = told.id)
        AND NOT EXISTS (SELECT FROM trashed_artifact WHERE trashed_artifact.id = told.id)
        AND NOT EXISTS (SELECT FROM tombstone WHERE tombstone.artifact_id = told.id)
"""
BURIED: Final = "SELECT count(*), count(DISTINCT attestation_id) FROM tombstone"


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What was acknowledged: its id, and the digest of what was sent."""

    artifact: str
    sha256: str


@dataclass
class Run:
    """One store under load; the counts are what it is judged by, `wrong` what must stay empty."""

    instance: Running
    environment: dict[str, str]
    live: list[Uploaded] = field(default_factory=list)
    old: list[Uploaded] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    published: set[str] = field(default_factory=set)
    cleaner: subprocess.Popen[str] | None = None
    chance: random.Random = field(default_factory=lambda: random.Random(7))  # noqa: S311 - load
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def until_stopped(self, step: Callable[[], None], *, pause: float) -> None:
        """Repeat it; whatever it raises is wrong."""
        while not self._stop.is_set():
            try:
                step()
            except Exception as error:  # noqa: BLE001 - it is told, and fails the run
                self.wrong.append(f"{step.__name__}: {error!r}"[:300])
            self._stop.wait(pause)

    def stop(self) -> None:
        self._stop.set()

    def count(self, what: str, number: int = 1) -> None:
        with self._lock:
            self.counts[what] += number

    def upload(self) -> None:
        """A file of its own; its bytes are one of few contents, or of what is old alone."""
        with self._lock:
            self.counts["tried"] += 1
            number = self.counts["tried"]
            content = self.chance.randrange(CONTENTS)
        kind = "old" if number % 2 else "live"
        if number % 4 == 1:
            content = CONTENTS + number // 20
        data = hashlib.shake_256(b"%d" % content).digest(1 + content * 400)
        path = f"/api/v1/projects/{self.instance.report.project}/artifacts/{kind}/{number}.bin"
        try:
            told = ask(self.instance, "PUT", path, data)
        except urllib.error.HTTPError as answer:
            self.count(f"upload answered {answer.code}")
            return
        uploaded = Uploaded(told["id"], hashlib.sha256(data).hexdigest())
        (self.old if kind == "old" else self.live).append(uploaded)

    def download_live(self) -> None:
        """Any that was acknowledged: once it is published, it always answers with its bytes."""
        if not self.live:
            return
        uploaded = self.chance.choice(self.live)
        may_wait = uploaded.artifact not in self.published
        self.check(uploaded, may_wait=may_wait)

    def check(self, uploaded: Uploaded, *, may_wait: bool = False) -> None:
        """Note it as wrong unless it is there, whole, or still waits for its statement."""
        try:
            data = fetch(self.instance, self.url_of(uploaded))
        except (OSError, http.client.HTTPException) as error:
            told = _told(error)
            if may_wait and "artifact-not-published" in told:
                self.count("downloads that came before publication")
            else:
                self.wrong.append(f"download of {uploaded.artifact}: {told}")
        else:
            self.published.add(uploaded.artifact)
            self.count("downloads of live artifacts")
            if hashlib.sha256(data).hexdigest() != uploaded.sha256:
                self.wrong.append(f"download of {uploaded.artifact}: other bytes")

    def download_old(self) -> None:
        """Any: its bytes, or 410; never other bytes."""
        if not self.old:
            return
        uploaded = self.chance.choice(self.old)
        try:
            data = fetch(self.instance, self.url_of(uploaded))
        except urllib.error.HTTPError as answer:
            self.count(f"downloads of old artifacts: {answer.code}")
        else:
            self.count("downloads of old artifacts: 200")
            if hashlib.sha256(data).hexdigest() != uploaded.sha256:
                self.wrong.append(f"download of {uploaded.artifact}: other bytes")

    def url_of(self, uploaded: Uploaded) -> str:
        return f"{self.instance.url}/api/v1/artifacts/{uploaded.artifact}/download"

    def retire(self) -> None:
        """Let what is old age, plan, apply, and wait for the workers, whoever is killed."""
        with database(self.instance) as connection:
            connection.execute(AGE)
            connection.execute(FORGET)
        plan = self.administer("POST", "/api/v1/retention-plans")
        if plan["artifacts"]:
            self.administer("POST", f"/api/v1/retention-plans/{plan['id']}/apply")
            eventually(lambda: self._has_run(plan["id"]), "the run ends", seconds=DRAIN_SECONDS)

    def _has_run(self, plan: str) -> bool:
        run = self.administer("GET", f"/api/v1/retention-plans/{plan}")["run"]
        if run["state"] == "running":
            return False
        self.count(f"retention runs: {run['state']}")
        self.count("removed artifacts", run["removed_artifacts"])
        return True

    def administer(self, method: str, path: str, body: Any = None) -> Any:
        """Ask as the administrator."""
        content = {} if body is None and method == "POST" else body
        token = self.instance.admin_token
        return json.loads(fetch(self.instance, self.instance.url + path, method, content, token))

    def clean(self) -> None:
        """Run the cleaner until it is killed, and add up what it did."""
        command = [sys.executable, "-m", "tests.soak.chores", str(GRACE_SECONDS)]
        with subprocess.Popen(
            command, cwd=CHECKOUT, env=self.environment, stdout=subprocess.PIPE, text=True
        ) as self.cleaner:
            for line in self.cleaner.stdout or ():
                with suppress(ValueError):  # a line that was cut off by the kill
                    for name, number in json.loads(line).items():
                        self.count(f"cleaner: {name}", number)
                self.count("cleaner: turns")
        if self.cleaner.returncode != -signal.SIGKILL:
            self.wrong.append(f"the cleaner ended with {self.cleaner.returncode}")

    def kill(self) -> None:
        """SIGKILL for one of those that do the work behind."""
        kind = self.chance.choice(VICTIMS)
        if kind == "cleaner":
            victims = [self.cleaner.pid] if self.cleaner is not None else []
        else:
            victims = [process.pid for process in find(self.instance.home, kind)]
        if victims:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(self.chance.choice(victims), signal.SIGKILL)
                self.count(f"killed: {kind}")
        self._stop.wait(self.chance.uniform(*KILLED_EVERY_SECONDS))


def endure(run: Run, *, seconds: float) -> None:
    """The load for so long; then the store comes to rest, and everything is looked at."""
    run.administer("PUT", "/api/v1/retention-policy", POLICY)
    work = [
        *[(run.upload, PAUSE_SECONDS)] * JOBS,
        *[(run.download_live, PAUSE_SECONDS)] * READERS,
        (run.download_old, PAUSE_SECONDS),
        (run.retire, 1.0),
        (run.clean, 0.0),
        (run.kill, 0.0),
    ]
    threads = [
        threading.Thread(target=run.until_stopped, args=(step,), kwargs={"pause": pause})
        for step, pause in work
    ]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    run.stop()
    if run.cleaner is not None:
        run.cleaner.kill()
    for thread in threads:
        thread.join()
    eventually(lambda: is_drained(run.instance), "all is published", seconds=DRAIN_SECONDS)
    for uploaded in run.live:
        run.check(uploaded)
    with database(run.instance) as connection:
        told = [one.artifact for one in (*run.live, *run.old)]
        [lost] = connection.execute(LOST, [told]).fetchone() or (len(told),)
        buried, attested = connection.execute(BURIED).fetchone() or (0, 0)
    run.count("tombstones", buried)
    run.count("removals attested", attested)
    run.count("acknowledged", len(told))
    run.count("live at the end, downloaded whole", len(run.live))
    if lost:
        run.wrong.append(f"{lost} acknowledged uploads are lost")
    for name in ("found missing", "found differs", "damaged"):
        if run.counts[f"cleaner: {name}"]:
            run.wrong.append(f"the cleaner {name}: {run.counts[f'cleaner: {name}']}")
    needed = (
        "removed artifacts",
        "tombstones",
        "cleaner: collected",
        "downloads of live artifacts",
    )
    for one in needed:
        if not run.counts[one]:
            run.wrong.append(f"nothing was proven: no {one}")


def _told(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"HTTP {error.code}: {error.read()[:200]!r}"
    return repr(error)


@contextmanager
def on_directory(folder: Path) -> Iterator[Run]:
    """A store that keeps its bytes in a folder."""
    with running(folder / "data") as instance:
        yield Run(instance, _environment(instance, {}))


@contextmanager
def on_s3(folder: Path) -> Iterator[Run]:
    """A store that keeps its bytes in a bucket."""
    (folder / "s3").mkdir()
    with running_s3(folder / "s3") as server:
        settings = server.settings(server.new_bucket("soak"))
        with running(folder / "data", settings=settings) as instance:
            yield Run(instance, _environment(instance, settings))


def _environment(instance: Running, settings: dict[str, str]) -> dict[str, str]:
    """Of a process beside the store's own."""
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STRONGROOM_ENV_FILE": str(instance.home.environment),
        "STRONGROOM_LOG_LEVEL": "WARNING",
        **settings,
    }


STORES: Final = {"directory": on_directory, "s3": on_s3}


def main() -> int:
    """Run the stores one after the other; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600, help="how long each store is loaded")
    parser.add_argument("--store", choices=STORES, help="one of the two stores (else both)")
    options = parser.parse_args()
    wanted = [options.store] if options.store else list(STORES)
    if "s3" in wanted and not is_installed():
        parser.error("versitygw is not on PATH: .ci/run installs it")
    broken = False
    for name in wanted:
        with tempfile.TemporaryDirectory() as folder, STORES[name](Path(folder)) as run:
            endure(run, seconds=options.seconds)
        broken = broken or bool(run.wrong)
        told = {"store": name, "seconds": options.seconds, **dict(sorted(run.counts.items()))}
        sys.stdout.write(json.dumps({**told, "wrong": run.wrong[:20]}, indent=1) + "\n")
        sys.stdout.flush()
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
