"""Real S3 servers for tests, each on a folder and a port of its own."""

import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import boto3

from tests.factories.free_ports import free_port

ACCESS_KEY: Final = "strongroom-tests"
SECRET_KEY: Final = "only-for-tests-of-this-run"
START_SECONDS: Final = 90
# TEST_SECOND_OPINION=1: the contracts are also put to another server (.ci/second-opinion).
HAS_SECOND_OPINION: Final = bool(os.environ.get("TEST_SECOND_OPINION"))
S3_SERVERS: Final = ("versitygw", "minio") if HAS_SECOND_OPINION else ("versitygw",)


@dataclass(frozen=True, slots=True)
class S3Server:
    """Where it listens; the process, to be stopped and killed; what boto3 reads as credentials."""

    endpoint: str
    process: subprocess.Popen[bytes]

    def new_bucket(
        self, name: str, *, is_versioned: bool = False, has_object_lock: bool = False
    ) -> str:
        """Make an empty bucket. With object lock it keeps old versions too."""
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )
        client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=has_object_lock)
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


def is_installed(program: str = "versitygw") -> bool:
    """Whether the server is on PATH."""
    return shutil.which(program) is not None


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """A versitygw that is ready, and stopped at the end."""
    places = {name: folder / name for name in ("iam", "versions", "data")}
    for place in places.values():
        place.mkdir(parents=True)
    port = free_port()
    command = [
        *("versitygw", "--port", f"127.0.0.1:{port}", "--quiet", "--keep-alive"),
        *("--iam-dir", str(places["iam"])),
        *("posix", "--versioning-dir", str(places["versions"]), str(places["data"])),
    ]
    environ = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
    with _running(command, environ, port) as server:
        yield server


@contextmanager
def running_minio(folder: Path) -> Iterator[S3Server]:
    """The same of another make, so that a promise is not one server's habit."""
    port, console = free_port(), free_port()
    command = [
        *("minio", "server", "--quiet", "--address", f"127.0.0.1:{port}"),
        *("--console-address", f"127.0.0.1:{console}", str(folder)),
    ]
    environ = {
        "MINIO_ROOT_USER": ACCESS_KEY,
        "MINIO_ROOT_PASSWORD": SECRET_KEY,
        "MINIO_BROWSER": "off",
        "MINIO_UPDATE": "off",
    }
    with _running(command, environ, port) as server:
        yield server


@contextmanager
def _running(command: list[str], environ: Mapping[str, str], port: int) -> Iterator[S3Server]:
    with subprocess.Popen(
        command,
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            endpoint = f"http://127.0.0.1:{port}"
            _await(endpoint, process)
            yield S3Server(endpoint, process)
        finally:
            process.kill()


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
    raise AssertionError(f"{process.args!r} did not start (exit status {process.poll()})")
