"""Time a build of many small files through the API: opened, sent, sealed, attested, found, fetched.

    python -m tests.bench.many_files http://127.0.0.1:8420 local/files TOKEN_FILE [--watch PID]

`--watch` takes the process of `make up`; the largest PSS of its web and attestation workers is
shown. Ten thousand files of 10 KiB each, by four connections, unless it is told otherwise.
"""

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.bench.memory import MEBIBYTE, watching


class Caller:
    """One kept connection for each thread."""

    def __init__(self, url: str, token: str) -> None:
        self._address = urlsplit(url).netloc
        self._headers = {"Authorization": f"Bearer {token}"}
        self._local = threading.local()

    def __call__(self, method: str, path: str, body: bytes | None = None) -> Any:
        """The answer's JSON, or its bytes; anything but success ends the run."""
        connection: HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None or method == "POST":  # after minutes the old one is closed
            connection = self._local.connection = HTTPConnection(self._address, timeout=600)
        headers = dict(self._headers)
        if method == "POST":
            headers["Content-Type"] = "application/json"
        connection.request(method, path, body=body, headers=headers)
        response = connection.getresponse()
        data = response.read()
        if response.status >= 300:
            raise SystemExit(f"{method} {path}: {response.status} {data[:500]!r}")
        is_json = response.headers["Content-Type"] == "application/json"
        return json.loads(data) if is_json else data


@contextmanager
def timed(name: str, count: int) -> Iterator[None]:
    """Print how long it took."""
    began = time.monotonic()
    yield
    seconds = time.monotonic() - began
    print(f"{name:12} {seconds:8.2f} s  {count / seconds:10.0f} /s", flush=True)  # noqa: T201 - a report


def at_once(threads: int, work: Callable[[int], Any], count: int) -> list[Any]:
    """The work for each number, by some threads."""
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, range(count)))


def run(call: Caller, project: str, options: argparse.Namespace) -> None:
    """One build from its opening to its last download."""
    count = options.files
    root = f"/api/v1/projects/{project}"
    build = call("POST", f"{root}/builds", b"{}")["id"]
    seed = build.encode()

    def data(number: int) -> bytes:
        block = sha256(seed + b"%d" % number).digest()
        whole: bytes = block * (options.size // len(block) + 1)
        return whole[: options.size]

    def send(number: int) -> dict[str, str]:
        path = f"dist/{number // 100:03d}/{number:05d}.bin"
        sent = call("PUT", f"/api/v1/builds/{build}/files/{path}", data(number))
        return {"path": path, "sha256": sent["sha256"], "id": sent["id"]}

    with timed("send", count):
        files = at_once(options.threads, send, count)
    expected = [{"path": one["path"], "sha256": one["sha256"]} for one in files]
    with timed("seal", count):
        call("POST", f"/api/v1/builds/{build}/seal", json.dumps({"files": expected}).encode())
    with timed("attest", count):
        while call("GET", f"/api/v1/builds/{build}")["state"] == "sealed":
            time.sleep(0.05)
    with timed("list", count):
        pages = -(-count // 500)
        at_once(1, lambda n: call("GET", f"/api/v1/builds/{build}/files?prefix=dist/{n}"), pages)
    with timed("digests", min(count, 1000)):
        asked = {"sha256": [one["sha256"] for one in expected[:1000]]}
        found = call("POST", f"{root}/digests", json.dumps(asked).encode())
        assert not found["missing"]
    for name in ("first fetch", "next fetch"):
        with timed(name, count):
            at_once(
                options.threads,
                lambda n: call("GET", f"/api/v1/artifacts/{files[n]['id']}/download"),
                count,
            )


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("project", help="organization/project")
    parser.add_argument("token_file", type=Path)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=10 * 1024)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--watch", type=int)
    options = parser.parse_args()
    caller = Caller(options.url, options.token_file.read_text().strip())
    if options.watch is None:
        run(caller, options.project, options)
        return
    with watching(options.watch) as peaks:
        run(caller, options.project, options)
    for kind, pss in sorted(peaks.items()):
        print(f"{kind:12} {pss / MEBIBYTE:8.0f} MiB PSS of one process, at most")  # noqa: T201


if __name__ == "__main__":
    main()
