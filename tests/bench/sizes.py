"""Time pushes of every size class with the real client against a whole store of its own.

    python -m tests.bench.sizes [--only directory|s3] [--scale 0.01] [--json FILE]

300 MiB straight to the bucket, 2 GiB through the app, 10,000 files of 10 KiB; on a directory (where
all goes through the app) and on versitygw. A Markdown table: seconds until the push ended, until it
was published, how far the memory (PSS) of the largest web worker and worker rose above idle, and
the processor time that web server and database used until the push ended.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from config.embedded.running import Running, running
from tests.bench.memory import MEBIBYTE, largest, watching
from tests.bench.processor import used_seconds
from tests.factories.s3_server import is_installed, running_s3

ROOT: Final = Path(__file__).resolve().parents[2]
BUCKET: Final = "sizes"
PROBED_SECONDS: Final = 120
SMALL_BYTES: Final = 10 * 1024


@dataclass(frozen=True, slots=True)
class Case:
    """What is pushed: so many files of this size, with these options where there is a bucket."""

    name: str
    count: int
    size_bytes: int
    options: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """The files, each with bytes of its own."""
        for number in range(self.count):
            file = folder / f"{number // 100:03}" / f"{number:05}.bin"
            file.parent.mkdir(exist_ok=True)
            seed = sha256(f"{self.name} {number} {folder}".encode()).digest()
            with file.open("wb") as opened:
                rest = self.size_bytes
                while rest:
                    block = (seed * (MEBIBYTE // len(seed)))[: min(rest, MEBIBYTE)]
                    rest -= opened.write(block)
                    seed = sha256(seed).digest()


CASES: Final = (
    Case("300 MiB, direct", 1, 300 * MEBIBYTE, ("--direct",)),
    Case("2 GiB through the app", 1, 2048 * MEBIBYTE, ("--no-direct",)),
    Case("10,000 x 10 KiB", 10_000, SMALL_BYTES, ()),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One push; memory in bytes above idle, the client's in all; processor time until it ended."""

    store: str
    case: str
    push_seconds: float
    published_seconds: float
    web_bytes: int
    worker_bytes: int
    client_bytes: int
    web_busy_seconds: float
    database_busy_seconds: float

    def row(self) -> str:
        """A line of the table."""
        memory = (self.web_bytes, self.worker_bytes, self.client_bytes)
        shown = " | ".join(f"{one / MEBIBYTE:.0f}" for one in memory)
        return (
            f"| {self.store} | {self.case} | {self.push_seconds:.1f} |"
            f" {self.published_seconds:.1f} | {shown} |"
            f" {self.web_busy_seconds:.1f} | {self.database_busy_seconds:.1f} |"
        )


HEADER: Final = """| store | case | push s | published s | web +MiB | worker +MiB | client MiB |\
 web busy s | database busy s |
|---|---|---|---|---|---|---|---|---|"""


def measure(instance: Running, store: str, case: Case) -> Measured:
    """Push it, and wait until it is published.

    Raises:
        SystemExit: the push failed.
    """
    with tempfile.TemporaryDirectory(prefix="sizes-") as made:
        folder = Path(made)
        case.write(folder)
        options = case.options if store == "s3" else ()
        pid = instance.supervisor.pid
        idle, before = largest(pid), used_seconds(pid)
        began = time.monotonic()
        with watching(pid) as peaks:
            build, client_bytes = push(instance, folder, options)
            pushed, after = time.monotonic(), used_seconds(pid)
            while get(instance, f"/api/v1/builds/{build}")["state"] == "sealed":
                time.sleep(0.05)
            published = time.monotonic()
    return Measured(
        store=store,
        case=case.name
        if store == "s3"
        else case.name.replace("direct", "direct not being offered"),
        push_seconds=pushed - began,
        published_seconds=published - began,
        web_bytes=peaks["granian"] - idle["granian"],
        worker_bytes=peaks["worker"] - idle["worker"],
        client_bytes=client_bytes,
        web_busy_seconds=after["web"] - before["web"],
        database_busy_seconds=after["database"] - before["database"],
    )


def push(instance: Running, folder: Path, options: tuple[str, ...]) -> tuple[str, int]:
    """Run the client; the build, and the most memory that it had."""
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "STRONGROOM_URL": instance.url,
        "STRONGROOM_PROJECT": instance.report.project,
        "STRONGROOM_TOKEN": instance.upload_token,
    }
    with tempfile.TemporaryFile() as out:
        client = subprocess.Popen(
            [sys.executable, "-m", "client", "push", ".", "--json", *options],
            cwd=folder,
            env=environ,
            stdout=out,
        )
        _, status, used = os.wait4(client.pid, 0)
        client.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        if client.returncode:
            raise SystemExit(f"push ended with {client.returncode}")
        return json.load(out)["build"], used.ru_maxrss * 1024


def get(instance: Running, path: str) -> dict[str, object]:
    """An answer of the store's."""
    headers = {"Authorization": f"Bearer {instance.admin_token}"}
    request = urllib.request.Request(instance.url + path, headers=headers)  # noqa: S310 - our own
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own
        document: dict[str, object] = json.load(answer)
        return document


@contextmanager
def on_directory(folder: Path) -> Iterator[Running]:
    """A store that keeps its bytes in a directory."""
    with running(folder / "store") as instance:
        yield instance


@contextmanager
def on_s3(folder: Path) -> Iterator[Running]:
    """A store over a bucket that has been probed."""
    with running_s3(folder / "s3") as server:
        server.new_bucket(BUCKET)
        with running(folder / "store", settings=server.settings(BUCKET)) as instance:
            deadline = time.monotonic() + PROBED_SECONDS
            while not _offers_direct(instance):
                if time.monotonic() > deadline:
                    raise SystemExit("the bucket was not probed in time")
                time.sleep(0.5)
            yield instance


def _offers_direct(instance: Running) -> bool:
    direct = get(instance, "/api/v1/limits")["direct"]
    return isinstance(direct, dict) and direct["is_offered"] is True


STORES: Final = {"directory": on_directory, "s3": on_s3}


def main() -> None:
    """Read the command line, measure, and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", choices=tuple(STORES))
    parser.add_argument("--case", default="", help="a part of a case's name")
    parser.add_argument("--scale", type=float, default=1.0, help="of sizes and counts")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if options.only != "directory" and not is_installed():
        raise SystemExit("versitygw is not on PATH: .ci/run installs it")
    found: list[Measured] = []
    print(HEADER, flush=True)  # noqa: T201 - a report
    for store, place in STORES.items():
        if options.only not in (None, store):
            continue
        with tempfile.TemporaryDirectory(prefix="sizes-") as folder, place(Path(folder)) as ready:
            for case in CASES:
                if options.case in case.name:
                    measure(ready, store, replace(case, count=8, size_bytes=SMALL_BYTES))
                    found.append(measure(ready, store, scaled(case, options.scale)))
                    print(found[-1].row(), flush=True)  # noqa: T201 - a report
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in found], indent=2) + "\n")


def scaled(case: Case, scale: float) -> Case:
    """A smaller one, to try the script."""
    if case.count == 1:
        return replace(case, size_bytes=max(1, int(case.size_bytes * scale)))
    return replace(case, count=max(1, int(case.count * scale)))


if __name__ == "__main__":
    main()
