"""A real S3 server for tests: versitygw on a folder, on a port of its own."""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import boto3

ACCESS_KEY: Final = "strongroom-tests"
SECRET_KEY: Final = "only-for-tests-of-this-run"
START_SECONDS: Final = 20


@dataclass(frozen=True, slots=True)
class S3Server:
    """Where it listens; the process, to be stopped and killed; what boto3 reads as credentials."""

    endpoint: str
    process: subprocess.Popen[bytes]

    def new_bucket(self, name: str, *, is_versioned: bool = False) -> str:
        """Make an empty bucket."""
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )
        client.create_bucket(Bucket=name)
        if is_versioned:
            client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        return name

    def settings(self, bucket: str, **more: str) -> dict[str, str]:
        """The settings of a store that keeps its bytes in this bucket."""
        return {
            "STRONGROOM_BLOB_DIRECTORY": "",
            "STRONGROOM_S3_BUCKET": bucket,
            "STRONGROOM_S3_ENDPOINT": self.endpoint,
            "STRONGROOM_S3_PATH_STYLE": "true",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            **more,
        }


def is_installed() -> bool:
    """Whether versitygw is on PATH."""
    return shutil.which("versitygw") is not None


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """A server that is ready, and stopped at the end."""
    places = {name: folder / name for name in ("iam", "versions", "data")}
    for place in places.values():
        place.mkdir(parents=True)
    port = _free_port()
    with subprocess.Popen(
        [
            *("versitygw", "--port", f"127.0.0.1:{port}", "--quiet", "--keep-alive"),
            *("--iam-dir", str(places["iam"])),
            *("posix", "--versioning-dir", str(places["versions"]), str(places["data"])),
        ],
        env={**os.environ, "ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            endpoint = f"http://127.0.0.1:{port}"
            _await(endpoint, process)
            yield S3Server(endpoint, process)
        finally:
            process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await(endpoint: str, process: subprocess.Popen[bytes]) -> None:
    """Any HTTP answer will do: an unsigned request is refused by a server that is there."""
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(endpoint, timeout=1).close()  # noqa: S310 - our own child
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"versitygw did not start (exit status {process.poll()})")
